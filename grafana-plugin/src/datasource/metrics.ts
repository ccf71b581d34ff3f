/**
 * A query for series over time: which agents, which of their series, and the forecasts that belong to them.
 */
import { DataFrame, QueryResultMetaNotice } from '@grafana/data';
import { HubProblem } from '../hub/problem';
import { Agent, MetricsRange, Prediction, SeriesNames } from '../hub/types';
import type { Scope } from './answer';
import { forecastFrames, metricsFrame } from './frames/metrics';
import { hostsOf, items } from './interpolate';
import { matches } from '../text/glob';
import { ArkiQuery } from './types';

/** Hosts that one query reads at most: a graph with more lines tells nothing. */
const HOSTS_MAX = 50;
/** Series in one call, as the hub limits it. */
const SERIES_MAX = 50;
/** Points of one series at most, as the hub limits it. */
const POINTS_MAX = 2000;
/** Calls at one time. */
const CALLS_MAX = 6;

export async function metrics(query: ArkiQuery, scope: Scope): Promise<DataFrame[]> {
  const patterns = items(query.series);
  if (patterns.length === 0) {
    throw new HubProblem('refused', 'Name a series, for instance disk.used_percent{/}; * stands for any text.', 0);
  }
  const hosts = hostsOf(query);
  const all = (await scope.fleet.agents()).filter((agent) => agent.state !== 'revoked' && matches(hosts, agent.host));
  const agents = all.slice(0, HOSTS_MAX);
  const frames = (await inTurns(agents, (agent) => ofAgent(agent, patterns, query, scope))).flat();
  const forecasts = query.forecast === true ? await forecast(agents, patterns, query.refId, scope) : [];
  const [first, ...others] = [...frames, ...forecasts];
  if (first === undefined || all.length <= HOSTS_MAX) {
    return first === undefined ? [] : [first, ...others];
  }
  const notice: QueryResultMetaNotice = {
    severity: 'warning',
    text: `Only the first ${HOSTS_MAX} of ${all.length} hosts.`,
  };
  return [{ ...first, meta: { ...first.meta, notices: [notice] } }, ...others];
}

async function ofAgent(agent: Agent, patterns: string[], query: ArkiQuery, scope: Scope): Promise<DataFrame[]> {
  const { hub, from, to, points } = scope;
  const names = patterns.some((pattern) => pattern.includes('*'))
    ? (await hub.get<SeriesNames>('v1/series', { agent: agent.id })).items
        .map((item) => item.name)
        .filter((name) => matches(patterns, name))
    : patterns;
  if (names.length === 0) {
    return [];
  }
  const range = await hub.get<MetricsRange>('v1/metrics', {
    agent: agent.id,
    series: names.slice(0, SERIES_MAX).join(','),
    from,
    to,
    points: Math.min(POINTS_MAX, Math.max(1, Math.round(points))),
  });
  const filled = range.series.filter((series) => series.time.length > 0);
  return filled.map((series) => metricsFrame(query.refId, agent.host, series, query.statistic ?? 'mean'));
}

async function forecast(agents: Agent[], patterns: string[], refId: string, scope: Scope): Promise<DataFrame[]> {
  const ids = new Set(agents.map((agent) => agent.id));
  const params = { state: 'active', host: agents.length === 1 ? agents[0]?.host : undefined };
  const active = await scope.hub.list<Prediction>('v1/predictions', params, 1000);
  const wanted = active.items.filter((row) => ids.has(row.agent) && matches(patterns, row.series));
  return wanted.flatMap((row) => forecastFrames(refId, row, scope.from, scope.to));
}

/** Runs `work` for each, a few at a time, and keeps their order. */
async function inTurns<T, R>(all: T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < all.length; start += CALLS_MAX) {
    results.push(...(await Promise.all(all.slice(start, start + CALLS_MAX).map(work))));
  }
  return results;
}
