/**
 * Why a call failed, as a sentence for a person. Between the hub and this page stands Grafana's proxy, which has refusals of
 * its own: a role that is too low (403), a hub it cannot reach (502), and a hub's 401, which it turns into a 400.
 */

/** What kind of refusal: what a person can do about it differs. */
export type ProblemKind = 'unreachable' | 'key' | 'role' | 'scope' | 'missing' | 'busy' | 'refused' | 'broken';

export class HubProblem extends Error {
  constructor(
    readonly kind: ProblemKind,
    message: string,
    readonly status: number
  ) {
    super(message);
    this.name = 'HubProblem';
  }
}

interface FetchFailure {
  status?: number;
  statusText?: string;
  data?: unknown;
  message?: string;
  cancelled?: boolean;
}

/** Turns whatever a request threw into a [`HubProblem`]. */
export function problemOf(error: unknown): HubProblem {
  if (error instanceof HubProblem) {
    return error;
  }
  const failure: FetchFailure = typeof error === 'object' && error !== null ? error : {};
  const status = failure.status ?? 0;
  const told = textOf(failure);
  switch (true) {
    case status === 401 || (status === 400 && /authentication to data source failed/i.test(told)):
      return new HubProblem(
        'key',
        'The hub does not know this API key, or it was revoked. Make one with `arki-hub key create` and enter it in the data source.',
        status
      );
    case status === 403 && /proxy route access denied|permission/i.test(told):
      return new HubProblem('role', 'Grafana refused it: this needs the role Editor.', status);
    case status === 403:
      return new HubProblem('scope', sentence(`The hub refused it: ${told || 'the key lacks the scope'}`), status);
    case status === 404:
      return new HubProblem('missing', told ? sentence(capital(told)) : 'The hub has nothing at this address.', status);
    case status === 429 || status === 503:
      return new HubProblem('busy', sentence(`The hub is busy: ${told || 'try again in a moment'}`), status);
    case status === 0 || status === 502 || status === 504:
      return new HubProblem(
        'unreachable',
        'Grafana cannot reach the hub. Check the hub address in the data source, and that arki-hub is running there.',
        status
      );
    case status >= 500:
      return new HubProblem('broken', sentence(`The hub could not do it: ${told || `status ${status}`}`), status);
    default:
      return new HubProblem('refused', sentence(capital(told || `The hub answered with status ${status}`)), status);
  }
}

function textOf(failure: FetchFailure): string {
  const { data } = failure;
  if (typeof data === 'string' && data !== '' && data.length < 300) {
    return data;
  }
  if (typeof data === 'object' && data !== null) {
    for (const key of ['detail', 'message', 'title']) {
      const value: unknown = Reflect.get(data, key);
      if (typeof value === 'string' && value !== '') {
        return value;
      }
    }
  }
  return failure.message ?? failure.statusText ?? '';
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
