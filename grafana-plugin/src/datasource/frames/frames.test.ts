import { DataFrame } from '@grafana/data';
import { Alert } from '../../hub/types';
import { agent, prediction, run } from '../../testing/samples';
import { agentsFrame } from './agents';
import { alertCountsFrame } from './alerts';
import { annotationsFrame } from './annotations';
import { forecastFrames, metricsFrame } from './metrics';
import { predictionsFrame } from './predictions';
import { recordFrame } from './record';
import { runsFrame } from './runs';
import { votesFrames } from './votes';

function column(frame: DataFrame | undefined, name: string) {
  return Array.from<unknown>(frame?.fields.find((field) => field.name === name)?.values ?? ['no such column']);
}

test('predictions: times in milliseconds, the time left from now, the votes, the whole in one column', () => {
  const rows = [prediction(), prediction({ state: 'averted', ended_at: 5000, fails_at: 21_400, votes: null })];
  const frame = predictionsFrame('A', rows, 1400);
  expect(column(frame, 'fails at')).toEqual([21_400_000, 21_400_000]);
  expect(column(frame, 'time to failure')).toEqual([20_000, null]);
  expect(column(frame, 'earliest (p10)')).toEqual([16_000_000, 16_000_000]);
  expect(column(frame, 'trend')).toEqual(['yes', null]);
  expect(column(frame, 'detail')).toEqual(rows);
});

test('predictions: the earliest failure first, then what has no time, then what has ended, as it came', () => {
  const ended = (id: string) => prediction({ id, state: 'averted', ended_at: 5000, fails_at: 1 });
  const active = (id: string, fails_at: number | null) => prediction({ id, fails_at });
  const rows = [ended('b'), active('none', null), active('late', 900), ended('a'), active('soon', 100)];
  expect(column(predictionsFrame('A', rows, 0), 'id')).toEqual(['soon', 'late', 'none', 'b', 'a']);
});

test('votes over time: from the first word to the end, one frame a series', () => {
  const rows = [
    prediction({ first_at: 50 }),
    prediction({ first_at: 10, ended_at: 20, state: 'averted' }),
    prediction({ series: 'other', first_at: 30 }),
  ];
  const frames = votesFrames('A', rows, 100);
  expect(frames).toHaveLength(2);
  expect(column(frames[0], 'time')).toEqual([10_000, 20_000, 50_000, 100_000]);
  expect(column(frames[0], 'trend')).toEqual(['yes', null, 'yes', null]);
});

test('the record counts, and says how early and how well timed', () => {
  const happened = (ended_at: number, given = {}) => prediction({ state: 'happened', ended_at, ...given });
  const frame = recordFrame('A', [
    happened(1000 + 20_000),
    happened(1000 + 30_000),
    happened(1000 + 2000),
    prediction({ state: 'averted', ended_at: 2000 }),
    prediction(),
  ]);
  expect(['happened', 'averted', 'expired', 'active'].map((name) => column(frame, name))).toEqual([[3], [1], [0], [1]]);
  expect(column(frame, 'median lead')).toEqual([20_000]);
  // 30,000 s is past the latest (28,800) by more than a bucket, 2,000 s before the earliest
  expect(column(frame, 'came as timed')).toEqual([1 / 3]);
  expect(column(recordFrame('A', []), 'median lead')).toEqual([null]);
});

test('a series in a band, and its forecast from the last word to the bound', () => {
  const columns = {
    name: 'disk.used_percent{/var}',
    time: [1, 2],
    min: [1, 2],
    mean: [2, 3],
    max: [3, 4],
    last: [3, 3],
  };
  const band = metricsFrame('A', 'web-1', columns, 'all');
  expect(band.fields.map(({ name }) => name)).toEqual(['time', 'min', 'mean', 'max']);
  expect(band.fields[3]?.config.custom).toMatchObject({ fillBelowTo: 'web-1 disk.used_percent{/var} min' });
  expect(band.fields[1]?.config).toMatchObject({ unit: 'percent', min: 0, max: 100 });
  const [bound, forecast, earliest, latest] = forecastFrames('A', prediction(), 0, 50_000);
  expect(column(bound, 'bound')).toEqual([100, 100]);
  expect(column(forecast, 'time')).toEqual([1_000_000, 21_400_000]);
  expect(column(forecast, 'forecast')).toEqual([87.2, 100]);
  expect(column(earliest, 'time')[1]).toBe(16_000_000);
  expect(column(latest, 'time')[1]).toBe(29_800_000);
  expect(forecastFrames('A', prediction({ bound: null }), 0, 1)).toEqual([]);
});

test('alarms are counted where they fell', () => {
  const alert = (time: number, state: Alert['state']): Alert => ({
    time,
    state,
    kind: 'prediction',
    reason: '',
    host: 'a',
    series: 's',
    severity: 'info',
    prediction: null,
    hosts: 1,
  });
  const rows = [
    alert(65, 'notified'),
    alert(119, 'quieted'),
    alert(179, 'quieted'),
    alert(5, 'notified'),
    alert(999, 'pending'),
  ];
  const frame = alertCountsFrame('A', rows, 60, 180, 60);
  expect(column(frame, 'time')).toEqual([60_000, 120_000, 180_000]);
  expect(column(frame, 'raised')).toEqual([1, 0, 0]);
  expect(column(frame, 'quieted')).toEqual([1, 1, 0]);
});

test('the hosts at risk come first', () => {
  const hosts = [
    agent({ host: 'calm' }),
    agent({ host: 'silent', state: 'silent' }),
    agent({ host: 'bad', severity: 'critical', predictions_active: 1 }),
    agent({ host: 'soso', severity: 'warning', predictions_active: 5 }),
  ];
  expect(column(agentsFrame('A', hosts), 'host')).toEqual(['bad', 'soso', 'silent', 'calm']);
});

test('annotations are regions that end where it ended, or where it fails', () => {
  const frame = annotationsFrame('A', [prediction(), prediction({ ended_at: 3000, state: 'averted' })]);
  expect(column(frame, 'timeEnd')).toEqual([21_400_000, 3_000_000]);
  expect(column(frame, 'text')[0]).toBe('87.2 %, bound 100 %, expected after 5h 40m (active)');
});

test('runs say who decided and why, or why they failed', () => {
  const decided = run({ decision: { decision: 'apply', name: 'ada', reason: 'it helps', at: 1100 } });
  const frame = runsFrame('A', [decided, run({ state: 'failed', error: 'no image', finished_at: null })]);
  expect(column(frame, 'by')).toEqual(['ada', 'grafana']);
  expect(column(frame, 'reason')).toEqual(['it helps', 'no image']);
  expect(column(frame, 'took')).toEqual([2, null]);
});
