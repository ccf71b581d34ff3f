/**
 * "Save & test": whether the hub answers, knows the key, and what the key may do.
 */
import { TestDataSourceResponse } from '@grafana/data';
import { HubClient } from '../hub/client';
import { problemOf } from '../hub/problem';
import { Agent, Page } from '../hub/types';
import { addressProblem } from './address';

/** Agents counted at most. */
const COUNTED = 1000;

export async function testHub(hub: HubClient, hubUrl: string): Promise<TestDataSourceResponse> {
  const wrong = addressProblem(hubUrl);
  if (wrong !== undefined) {
    return { status: 'error', message: wrong };
  }
  try {
    const agents = await hub.get<Page<Agent>>('v1/agents', { limit: COUNTED });
    return { status: 'success', message: `The hub answers. ${counted(agents)} ${await trials(hub)}`.trim() };
  } catch (error) {
    return { status: 'error', message: problemOf(error).message };
  }
}

function counted(page: Page<Agent>): string {
  const known = page.items.filter((agent) => agent.state !== 'revoked');
  if (known.length === 0) {
    return 'No server is enrolled yet: `arki-hub agent token` makes the token for `arki-agent enroll`.';
  }
  const active = known.reduce((sum, agent) => sum + agent.predictions_active, 0);
  const more = page.next === undefined ? '' : 'more than ';
  const servers = known.length === 1 ? '1 server' : `${known.length} servers`;
  return `${more}${servers} enrolled, ${active} active prediction${active === 1 ? '' : 's'}.`;
}

/** What the sandbox says of this key; what it says does not make the data source unusable. */
async function trials(hub: HubClient): Promise<string> {
  try {
    const { items } = await hub.get<Page<{ name: string }>>('v1/sandbox/services', {});
    return items.length === 0 ? '' : `Fixes can be tried on copies of: ${items.map((item) => item.name).join(', ')}.`;
  } catch (error) {
    return problemOf(error).kind === 'scope'
      ? 'This key only reads: for the sandbox button make one with `--scope sandbox`.'
      : '';
  }
}
