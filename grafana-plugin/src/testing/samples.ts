import { Agent, Prediction } from '../hub/types';
import { Run } from '../hub/sandbox';

/** A prediction as the hub shows it; what matters to a test is given. */
export function prediction(given: Partial<Prediction> = {}): Prediction {
  return {
    id: '01a204b1-9e58-7e17-8867-8ff6c604d71e',
    agent: 'def0b75d2d17b62a0c73bbd06aa68fee',
    host: 'web-1',
    series: 'disk.used_percent{/var}',
    state: 'active',
    severity: 'warning',
    first_at: 1000,
    raised_at: 1000,
    ended_at: null,
    value: 87.2,
    bound: 100,
    eta_seconds: 20_400,
    eta_low: 15_000,
    eta_high: 28_800,
    fails_at: 21_400,
    events: 1,
    votes: [
      { voter: 'trend', verdict: 'yes', reason: 'rises', figures: [], related: [] },
      { voter: 'correlation', verdict: 'no', reason: 'moves with the load', figures: [], related: [] },
      { voter: 'pattern', verdict: 'abstain', reason: 'learning 3/14 d', figures: [], related: [] },
    ],
    also: [],
    processes: [],
    context: [],
    ...given,
  };
}

export function agent(given: Partial<Agent> = {}): Agent {
  return {
    id: 'a1',
    host: 'web-1',
    state: 'active',
    version: '0.1.0',
    enrolled_at: 0,
    revoked_at: null,
    seen_at: 900,
    silent_since: null,
    predictions_active: 0,
    severity: null,
    summaries_dropped: 0,
    ...given,
  };
}

export function run(given: Partial<Run> = {}): Run {
  return {
    id: 'r1',
    state: 'done',
    service: 'nginx',
    action: 'reload',
    agent: 'a1',
    host: 'web-1',
    prediction: null,
    requested_by: 'grafana',
    created_at: 1000,
    started_at: 1001,
    finished_at: 1003,
    outcome: 'succeeded',
    fidelity: 'effect measured',
    score: 3.1,
    error: null,
    decision: null,
    ...given,
  };
}
