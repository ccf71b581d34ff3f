/**
 * What needs a person first.
 */
import { Prediction, Severity } from '../hub/types';

const RANK: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };

/** The severest first. */
export function bySeverity(a: Severity, b: Severity): number {
  return RANK[a] - RANK[b];
}

type Urgent = Pick<Prediction, 'fails_at' | 'severity' | 'raised_at' | 'host' | 'series'>;

/** The earliest failure first; what has no time after that, the severest and newest of it first. */
export function byUrgency(a: Urgent, b: Urgent): number {
  if (a.fails_at !== null && b.fails_at !== null && a.fails_at !== b.fails_at) {
    return a.fails_at - b.fails_at;
  }
  if ((a.fails_at === null) !== (b.fails_at === null)) {
    return a.fails_at === null ? 1 : -1;
  }
  const rest = bySeverity(a.severity, b.severity) || b.raised_at - a.raised_at;
  return rest || a.host.localeCompare(b.host) || a.series.localeCompare(b.series);
}
