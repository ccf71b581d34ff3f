/**
 * The fleet, the hosts at risk first.
 */
import { createDataFrame, DataFrame } from '@grafana/data';
import { Agent } from '../../hub/types';
import { bySeverity } from '../../text/sort';
import { AGENT_STATE, columns, SEVERITY } from './fields';

/** Hosts with the severest predictions first, then silent ones, then by name. */
export function byRisk(a: Agent, b: Agent): number {
  const severity =
    a.severity === null || b.severity === null
      ? Number(a.severity === null) - Number(b.severity === null)
      : bySeverity(a.severity, b.severity);
  const silence = Number(b.state === 'silent') - Number(a.state === 'silent');
  return severity || b.predictions_active - a.predictions_active || silence || a.host.localeCompare(b.host);
}

export function agentsFrame(refId: string, agents: Agent[]): DataFrame {
  const of = columns([...agents].sort(byRisk));
  return createDataFrame({
    refId,
    name: 'agents',
    fields: [
      of.text('host', (row) => row.host),
      of.text('severity', (row) => row.severity, SEVERITY),
      of.number('predictions', (row) => row.predictions_active),
      of.text('state', (row) => row.state, AGENT_STATE),
      of.time('last seen', (row) => row.seen_at),
      of.time('silent since', (row) => row.silent_since),
      of.text('version', (row) => row.version),
      of.number('summaries dropped', (row) => row.summaries_dropped),
      of.time('enrolled', (row) => row.enrolled_at),
      of.text('id', (row) => row.id),
    ],
  });
}
