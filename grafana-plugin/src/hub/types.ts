/**
 * What the hub's API says, as its OpenAPI document (`/v1/openapi.json`) describes it. Times are Unix seconds.
 */

export type Severity = 'info' | 'warning' | 'critical';
export type PredictionState = 'active' | 'happened' | 'averted' | 'expired';
export type VoterName = 'trend' | 'correlation' | 'pattern';
export type Verdict = 'yes' | 'no' | 'abstain' | 'veto';

/** One figure that a vote rests on; its name ends with its unit. */
export interface Figure {
  name: string;
  value: number;
}

export interface Vote {
  voter: VoterName;
  verdict: Verdict;
  reason: string;
  figures: Figure[];
  related: string[];
}

/** A process by the growth of the resource in trouble. */
export interface ProcessGrowth {
  pid: number;
  name: string;
  resource: string;
  value: number;
  growth: number;
  span_s: number;
}

export interface Prediction {
  id: string;
  agent: string;
  host: string;
  series: string;
  state: PredictionState;
  severity: Severity;
  first_at: number;
  raised_at: number;
  ended_at: number | null;
  value: number;
  bound: number | null;
  /** Seconds from `raised_at` to the failure: the median, and one case in ten to either side. */
  eta_seconds: number | null;
  eta_low: number | null;
  eta_high: number | null;
  fails_at: number | null;
  events: number;
  votes: Vote[] | null;
  also: string[] | null;
  processes: ProcessGrowth[] | null;
  context: string[] | null;
}

export type AgentState = 'waiting' | 'active' | 'silent' | 'revoked';

export interface Agent {
  id: string;
  host: string;
  state: AgentState;
  version: string;
  enrolled_at: number;
  revoked_at: number | null;
  seen_at: number | null;
  silent_since: number | null;
  predictions_active: number;
  severity: Severity | null;
  summaries_dropped: number;
}

/** One series over a range of time: one array a column. */
export interface SeriesColumns {
  name: string;
  time: number[];
  min: number[];
  mean: number[];
  max: number[];
  last: number[];
}

export interface MetricsRange {
  agent: string;
  host: string;
  from: number;
  to: number;
  step_seconds: number;
  series: SeriesColumns[];
}

export interface SeriesNames {
  time: number | null;
  items: Array<{ name: string; last: number | null }>;
}

export type AlertState = 'pending' | 'notified' | 'quieted';

export interface Alert {
  time: number;
  kind: string;
  state: AlertState;
  reason: string;
  host: string;
  series: string;
  severity: Severity;
  prediction: string | null;
  hosts: number;
}

/** One page of a list; `next` is what `after` takes, missing on the last page. */
export interface Page<T> {
  items: T[];
  next?: string;
}
