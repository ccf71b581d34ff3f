/**
 * What a hub with a runner answers for a trial, where the test's own hub has no Docker: used to look at progress, result and
 * decision. Starting a run and being refused are tried on the real hub.
 */

const ID = '0192a6b0-0000-7000-8000-000000000001';

const services = [
  {
    name: 'nginx',
    title: 'nginx',
    actions: [
      {
        name: 'reopen-logs',
        title: 'Open the log files anew, after they were moved away',
        argv: ['nginx', '-s', 'reopen'],
        proves: ['nginx lets go of log files that were moved or deleted, and begins new ones'],
        does_not_prove: ['how much space that frees on this host'],
        undo: 'Nothing to undo: no request is lost.',
        candidate_for: ['disk.used_percent*'],
        applicable: true,
      },
      {
        name: 'reload',
        title: 'Reload the configuration',
        argv: ['nginx', '-s', 'reload'],
        proves: ['nginx takes this configuration while it runs'],
        does_not_prove: ['behaviour under traffic'],
        undo: 'Put the old configuration back and reload again.',
        candidate_for: ['memory.used_percent*'],
        applicable: true,
      },
    ],
  },
  {
    name: 'mariadb',
    title: 'MariaDB',
    actions: [
      {
        name: 'flush-logs',
        title: 'Close the log files and open new ones',
        argv: ['mariadb', '-e', 'FLUSH LOGS'],
        proves: ['the server takes the command'],
        does_not_prove: ['how much space that frees on this host'],
        undo: 'Nothing to undo.',
        candidate_for: ['disk.used_percent*'],
        applicable: false,
      },
    ],
  },
];

const step = (phase, argv, output, duration_ms, exit_code = 0) => ({
  phase,
  argv,
  exit_code,
  output,
  truncated: false,
  duration_ms,
});

const copy = (before, after, bytes) => ({
  steps: [
    step('service', ['nginx', '-g', 'daemon off;'], '', 812, null),
    step('ready', ['curl', '-sf', 'http://127.0.0.1/'], '', 14),
    step('stage', ['mv', '/var/log/nginx/access.log', '/var/log/nginx/access.log.1'], '', 6),
    step('action', ['nginx', '-s', 'reopen'], '2026/11/22 19:40:01 [notice] 31#31: signal process started\n', 21),
    step('probe', ['curl', '-sf', 'http://127.0.0.1/'], '', 12),
  ],
  measures: [
    { name: 'access_log', title: 'Bytes in the open access log', kind: 'number', unit: 'B', before, after },
    { name: 'workers', title: 'Worker processes', kind: 'text', unit: '', before: '12 13', after: '12 13' },
  ],
  healthy_before: true,
  healthy_after: true,
  memory_bytes_before: 4_400_000,
  memory_bytes_after: bytes,
  processes_after: 3,
  out_of_memory: false,
  stopped: null,
});

const result = {
  outcome: 'succeeded',
  summary:
    'The command ended with 0, the access log was begun anew, and nginx stayed healthy; the control copy did not change.',
  fidelity: 'effect measured',
  proves: services[0].actions[0].proves,
  does_not_prove: services[0].actions[0].does_not_prove,
  undo: services[0].actions[0].undo,
  argv: ['nginx', '-s', 'reopen'],
  applicable: true,
  image: 'sha256:0000',
  configuration: { source: 'snapshot', hash: '00', files: 14, taken_at: null, left_out: [], reason: '' },
  tried: copy(18_240, 0, 4_450_000),
  control: copy(18_240, 18_240, 4_400_000),
  duration_ms: 1_840,
};

/** What the agent says to what it was asked to apply. */
const applied = {
  state: 'done',
  detail: 'ended with exit code 0 after 40 ms',
  report: { stdout: '', stderr: 'signal process started' },
  prediction: 'averted',
};

/** One hub: a run goes one state further whenever it is asked for. */
export function standIn() {
  let run;
  let asked = 0;
  const shown = () => {
    const state = ['queued', 'claimed', 'running', 'done'][Math.min(asked, 3)];
    const ended = state === 'done';
    return {
      ...run,
      state,
      started_at: asked > 0 ? run.created_at + 1 : null,
      finished_at: ended ? run.created_at + 3 : null,
      outcome: ended ? 'succeeded' : null,
      fidelity: ended ? result.fidelity : null,
    };
  };
  return (method, path, body) => {
    if (path === 'v1/sandbox/services') {
      return { body: { items: services } };
    }
    if (path === 'v1/sandbox/runs' && method === 'POST') {
      run = {
        ...JSON.parse(body),
        id: ID,
        host: 'mail-2',
        requested_by: 'grafana',
        created_at: Math.floor(Date.now() / 1000),
        attempts: 1,
        cancelled_by: null,
        score: null,
        error: null,
        decision: null,
      };
      return { status: 201, body: shown() };
    }
    if (path === 'v1/sandbox/runs') {
      return { body: { items: run === undefined ? [] : [shown()] } };
    }
    if (path === `v1/sandbox/runs/${ID}`) {
      asked += 1;
      if (run.application !== undefined) {
        // the agent has come for it meanwhile
        run = { ...run, application: { ...run.application, ...applied } };
      }
      const now = shown();
      return { body: now.state === 'done' ? { ...now, result } : now };
    }
    if (path === `v1/sandbox/runs/${ID}/decision`) {
      const said = JSON.parse(body);
      run = { ...run, decision: { ...said, at: Math.floor(Date.now() / 1000), by: 'key-1', receipt: null } };
      if (said.decision === 'apply') {
        run = {
          ...run,
          application: { state: 'waiting', answered_at: null, detail: '', report: null, prediction: 'active' },
        };
      }
      return { body: { ...shown(), result } };
    }
    return undefined;
  };
}
