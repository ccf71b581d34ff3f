/**
 * The fleet, the hosts at risk first.
 */
import { createDataFrame, DataFrame } from '@grafana/data';
import { Agent } from '../../hub/types';
import { bySeverity } from '../../text/sort';
import { AGENT_STATE, number, SEVERITY, text, time } from './fields';

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
  const rows = [...agents].sort(byRisk);
  return createDataFrame({
    refId,
    name: 'agents',
    fields: [
      text(
        'host',
        rows.map((row) => row.host)
      ),
      text(
        'severity',
        rows.map((row) => row.severity),
        SEVERITY
      ),
      number(
        'predictions',
        rows.map((row) => row.predictions_active)
      ),
      text(
        'state',
        rows.map((row) => row.state),
        AGENT_STATE
      ),
      time(
        'last seen',
        rows.map((row) => row.seen_at)
      ),
      time(
        'silent since',
        rows.map((row) => row.silent_since)
      ),
      text(
        'version',
        rows.map((row) => row.version)
      ),
      number(
        'summaries dropped',
        rows.map((row) => row.summaries_dropped)
      ),
      time(
        'enrolled',
        rows.map((row) => row.enrolled_at)
      ),
      text(
        'id',
        rows.map((row) => row.id)
      ),
    ],
  });
}
