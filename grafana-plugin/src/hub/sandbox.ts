/**
 * Trials of a fix on a copy of a service: `/v1/sandbox`. A run names a service and one of its actions, never a command.
 */
import { HubClient } from './client';
import { Page } from './types';

export type RunState = 'queued' | 'claimed' | 'running' | 'done' | 'failed' | 'cancelled';

/** A service of which the hub has a profile, and what can be tried on a copy of it. */
export interface Service {
  name: string;
  title: string;
  actions: Action[];
}

export interface Action {
  name: string;
  title: string;
  argv: string[];
  proves: string[];
  does_not_prove: string[];
  undo: string;
  /** Series (`*` stands for any text) whose prediction it may be the answer to. */
  candidate_for: string[];
  /** Whether it may be applied on the real service. */
  applicable: boolean;
}

export interface Decision {
  decision: 'apply' | 'dismiss';
  name: string;
  reason: string;
}

/** A decision as it was recorded. */
export interface Decided extends Decision {
  at: number;
}

/** Whether the host's configuration has changed since the trial. */
export interface Drift {
  changed: boolean;
  taken_at: number;
}

/** What became of a decision to apply, at the agent. */
export interface Application {
  state: 'waiting' | 'expired' | 'done' | 'refused' | 'failed';
  asked_at: number;
  answered_at: number | null;
  detail: string;
  report: { stdout: string; stderr: string } | null;
  /** How the prediction stands that it was about. */
  prediction: 'active' | 'happened' | 'averted' | 'expired' | null;
}

export interface Run {
  id: string;
  state: RunState;
  service: string;
  action: string;
  agent: string | null;
  host: string | null;
  prediction: string | null;
  requested_by: string;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  outcome: 'succeeded' | 'failed' | null;
  fidelity: string | null;
  /** Ranks the trials of one prediction: what is proven first, then how much it changed. */
  score: number | null;
  error: string | null;
  decision: Decided | null;
  /** These are missing in lists: where a snapshot was tried, where it is to be applied, where it is done. */
  drift?: Drift;
  application?: Application;
  result?: TrialResult;
}

export interface Step {
  phase: string;
  argv: string[];
  exit_code: number | null;
  output: string;
  truncated: boolean;
  duration_ms: number;
}

export interface Measured {
  name: string;
  title: string;
  /** A `success` is 1 or 0. */
  kind: 'number' | 'text' | 'success';
  unit: string;
  before: number | string | null;
  after: number | string | null;
}

/** What happened to one copy. */
export interface TrialCopy {
  steps: Step[];
  measures: Measured[];
  healthy_before: boolean | null;
  healthy_after: boolean | null;
  memory_bytes_before: number | null;
  memory_bytes_after: number | null;
  out_of_memory: boolean;
  stopped: string | null;
}

export interface TrialResult {
  outcome: 'succeeded' | 'failed';
  /** Why, in a sentence. */
  summary: string;
  fidelity: string;
  proves: string[];
  does_not_prove: string[];
  undo: string;
  argv: string[];
  applicable: boolean;
  /** `reason`: why it is the image's and not the host's. */
  configuration: { source: string; files: number; taken_at: number | null; reason: string };
  /** The copy that was tried on, and the one that was left alone. */
  tried: TrialCopy;
  control: TrialCopy;
  duration_ms: number;
}

/** What a trial is asked with. */
export interface NewRun {
  service: string;
  action: string;
  agent?: string;
  prediction?: string;
}

const RUNS = 'v1/sandbox/runs';

export const sandbox = {
  services: (hub: HubClient) => hub.get<Page<Service>>('v1/sandbox/services').then((page) => page.items),
  start: (hub: HubClient, run: NewRun) => hub.post<Run>(RUNS, run),
  run: (hub: HubClient, id: string) => hub.get<Run>(`${RUNS}/${encodeURIComponent(id)}`),
  cancel: (hub: HubClient, id: string) => hub.post<Run>(`${RUNS}/${encodeURIComponent(id)}/cancel`, {}),
  decide: (hub: HubClient, id: string, decision: Decision) =>
    hub.post<Run>(`${RUNS}/${encodeURIComponent(id)}/decision`, decision),
};

/** True while the agent has not answered. */
export function isBeingApplied(run: Run): boolean {
  return run.application?.state === 'waiting';
}

/** Who asks for what the hub tries by itself. */
const AUTOMATIC = 'automatic';

/** The runs of one prediction: what was decided on, what a person asked for, the newest first, then what was tried by itself, by rank. */
export function ranked(runs: Run[]): Run[] {
  const place = (run: Run) => (run.decision !== null ? 0 : run.requested_by !== AUTOMATIC ? 1 : 2);
  const rank = (run: Run) => (place(run) === 2 ? (run.score ?? -1) : 0);
  return [...runs].sort((a, b) => place(a) - place(b) || rank(b) - rank(a) || b.created_at - a.created_at);
}

/** True while something is still to come of it. */
export function isOpen(run: Run): boolean {
  return run.state === 'queued' || run.state === 'claimed' || run.state === 'running';
}
