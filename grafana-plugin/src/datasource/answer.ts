/**
 * One query, its variables replaced, to frames.
 */
import { DataFrame, QueryResultMetaNotice } from '@grafana/data';
import { HubClient, Rows } from '../hub/client';
import { HubProblem } from '../hub/problem';
import { Run } from '../hub/sandbox';
import { Alert, Prediction } from '../hub/types';
import { Fleet } from './fleet';
import { agentsFrame } from './frames/agents';
import { alertCountsFrame, alertsFrame } from './frames/alerts';
import { annotationsFrame } from './frames/annotations';
import { predictionsFrame } from './frames/predictions';
import { processesFrame } from './frames/processes';
import { recordFrame } from './frames/record';
import { runsFrame } from './frames/runs';
import { votesFrames } from './frames/votes';
import { hostsOf, items } from './interpolate';
import { matches } from '../text/glob';
import { metrics } from './metrics';
import { ArkiQuery, LIMIT_DEFAULT, LIMIT_MAX, STATE_DEFAULTS } from './types';

/** What a query is asked in. Times are Unix seconds. */
export interface Scope {
  hub: HubClient;
  fleet: Fleet;
  from: number;
  to: number;
  now: number;
  points: number;
  intervalSeconds: number;
}

export async function answer(query: ArkiQuery, scope: Scope): Promise<DataFrame[]> {
  const { refId } = query;
  switch (query.queryType) {
    case 'predictions': {
      const rows = await predictions(query, scope);
      return noted([predictionsFrame(refId, rows.items, scope.now)], rows);
    }
    case 'votes': {
      const rows = await predictions(query, scope, 'all');
      return noted(votesFrames(refId, rows.items, scope.now), rows);
    }
    case 'processes': {
      const rows = await predictions(query, scope);
      return noted([processesFrame(refId, rows.items)], rows);
    }
    case 'record': {
      const rows = await predictions(query, scope, 'all');
      return noted([recordFrame(refId, rows.items)], rows);
    }
    case 'annotations': {
      const rows = await predictions(query, scope);
      return noted([annotationsFrame(refId, rows.items)], rows);
    }
    case 'metrics':
      return metrics(query, scope);
    case 'alerts': {
      const rows = await alerts(query, scope);
      const isCount = query.format === 'count';
      const step = Math.max(60, scope.intervalSeconds, Math.ceil((scope.to - scope.from) / COUNTS_MAX));
      const frame = isCount
        ? alertCountsFrame(refId, rows.items, scope.from, scope.to, step)
        : alertsFrame(refId, rows.items);
      return noted([frame], rows);
    }
    case 'runs': {
      const rows = await runs(query, scope);
      return noted([runsFrame(refId, rows.items)], rows);
    }
    case 'agents': {
      const agents = await scope.fleet.agents();
      const hosts = hostsOf(query);
      return [
        agentsFrame(
          refId,
          agents.filter((agent) => agent.state !== 'revoked' && matches(hosts, agent.host))
        ),
      ];
    }
    default:
      throw new HubProblem(
        'refused',
        `There is no query type "${String(query.queryType)}": choose one in the editor.`,
        0
      );
  }
}

/** Steps of a count over time at most. */
const COUNTS_MAX = 500;

/** Active predictions whenever they began; past ones where they overlap the dashboard's range. */
async function predictions(query: ArkiQuery, scope: Scope, wanted?: 'all'): Promise<Rows<Prediction>> {
  const state = wanted ?? (query.state || STATE_DEFAULTS[query.queryType]);
  const hosts = hostsOf(query);
  const params = { state, host: only(hosts) };
  const rows = await scope.hub.list<Prediction>('v1/predictions', params, limitOf(query));
  const series = items(query.series);
  const isWanted = (row: Prediction) =>
    matches(hosts, row.host) &&
    matches(series, row.series) &&
    (row.state === 'active' || (row.first_at <= scope.to && (row.ended_at ?? scope.now) >= scope.from));
  return { ...rows, items: rows.items.filter(isWanted) };
}

async function alerts(query: ArkiQuery, scope: Scope): Promise<Rows<Alert>> {
  const hosts = hostsOf(query);
  const params = { state: query.state, host: only(hosts) };
  const isPast = (row: Alert) => row.time < scope.from;
  const rows = await scope.hub.list<Alert>('v1/alerts', params, limitOf(query), isPast);
  const isWanted = (row: Alert) => row.time >= scope.from && row.time <= scope.to && matches(hosts, row.host);
  return { ...rows, items: rows.items.filter(isWanted) };
}

async function runs(query: ArkiQuery, scope: Scope): Promise<Rows<Run>> {
  const hosts = hostsOf(query);
  const isPast = (row: Run) => row.created_at < scope.from;
  const rows = await scope.hub.list<Run>('v1/sandbox/runs', { state: query.state }, limitOf(query), isPast);
  const isIn = (row: Run) => row.created_at >= scope.from && row.created_at <= scope.to;
  return { ...rows, items: rows.items.filter((row) => isIn(row) && matches(hosts, row.host ?? '')) };
}

/** The hub can filter by one host; more are filtered here. */
function only(hosts: string[]): string | undefined {
  return hosts.length === 1 && !hosts[0]?.includes('*') ? hosts[0] : undefined;
}

function limitOf(query: ArkiQuery): number {
  return Math.min(LIMIT_MAX, Math.max(1, query.limit ?? LIMIT_DEFAULT));
}

/** Says aloud that there is more than is shown. */
function noted<T>(frames: DataFrame[], rows: Rows<T>): DataFrame[] {
  if (!rows.isCut) {
    return frames;
  }
  const notice: QueryResultMetaNotice = {
    severity: 'warning',
    text: 'There is more than the limit of this query: only the newest rows were read.',
  };
  return frames.map((frame) => ({
    ...frame,
    meta: { ...frame.meta, notices: [...(frame.meta?.notices ?? []), notice] },
  }));
}
