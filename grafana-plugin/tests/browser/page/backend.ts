/**
 * Grafana's `backendSrv` as the plugins use it: `fetch` with an answer, or an error that carries status and body.
 */
import { BackendSrv, BackendSrvRequest, FetchResponse } from '@grafana/runtime';
import { from, Observable } from 'rxjs';

async function ask(request: BackendSrvRequest): Promise<FetchResponse<unknown>> {
  const url = new URL(request.url, window.location.origin);
  for (const [name, value] of Object.entries(request.params ?? {})) {
    url.searchParams.set(name, String(value));
  }
  const body = request.data === undefined ? {} : { body: JSON.stringify(request.data) };
  const headers = { 'Content-Type': 'application/json' };
  const response = await window.fetch(url, { method: request.method ?? 'GET', headers, ...body });
  const text = await response.text();
  let data: unknown = text;
  try {
    data = JSON.parse(text);
  } catch {
    // it stays text, as Grafana has it
  }
  const { status, statusText, ok } = response;
  if (!ok) {
    throw { status, statusText, data, config: request };
  }
  return { data, status, statusText, ok, config: request } as FetchResponse<unknown>;
}

export const backend = {
  fetch: (request: BackendSrvRequest) => from(ask(request)) as Observable<FetchResponse<never>>,
} as unknown as BackendSrv;
