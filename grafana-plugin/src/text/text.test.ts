import { prediction } from '../testing/samples';
import { coarse, roughly, span, spoken } from './duration';
import { figureText } from './evidence';
import { figure, instanceOf, metricOf, unitOf } from './figure';
import { matches } from './glob';
import { remaining } from './remaining';
import { byUrgency } from './sort';

test('a span has its two largest units', () => {
  expect([0, 59, 60, 72, 3600, 20_400, 86_400, 187_200, -5].map(span)).toEqual([
    '0s',
    '59s',
    '1m',
    '1m 12s',
    '1h',
    '5h 40m',
    '1d',
    '2d 4h',
    '0s',
  ]);
  expect([12, 2359, 3600 * 5 + 59].map(coarse)).toEqual(['under 1m', '39m', '5h']);
  expect([5, 130, 7200, 200_000].map(roughly)).toEqual(['5 seconds', '2 minutes', '2 hours', '2 days']);
  expect([3660, 61, 7320].map(spoken)).toEqual(['1 hour 1 minute', '1 minute 1 second', '2 hours 2 minutes']);
});

test('a figure has the unit of its series', () => {
  expect(figure('disk.used_percent{/var}', 87.204)).toBe('87.2 %');
  expect(figure('net.rx_bytes_per_second{eth0}', 1_234_567)).toBe('1.23 MB/s');
  expect(figure('process.resident_bytes', 900)).toBe('900 B');
  expect(figure('process.count', 312)).toBe('312');
  expect(figure('', 18_240)).toBe('18.2 k');
  expect(figure('x', 100)).toBe('100');
  expect(figure('x', 0.05)).toBe('0.05');
  expect([unitOf('cpu.busy_percent'), unitOf('load.per_core')]).toEqual(['percent', undefined]);
  expect([metricOf('a.b{c}'), instanceOf('a.b{c}'), instanceOf('a.b')]).toEqual(['a.b', 'c', '']);
});

test('figures of votes are words', () => {
  expect(figureText({ name: 'left_p50_s', value: 7418 })).toBe('left p50 2h 3m');
  expect(figureText({ name: 'explained_share', value: 0.996 })).toBe('explained 100 %');
  expect(figureText({ name: 'rate_per_hour', value: 23.58 })).toBe('rate per hour 23.6');
});

test('a star stands for any text, and everything else for itself', () => {
  expect(matches(['disk.used_percent*'], 'disk.used_percent{/var}')).toBe(true);
  expect(matches(['disk.used'], 'diskXused')).toBe(false);
  expect(matches(['a(b'], 'a(b')).toBe(true);
  expect(matches([], 'anything')).toBe(true);
});

test('the time left counts down, with its interval', () => {
  const one = prediction();
  expect(remaining(one, 1000)).toMatchObject({ text: '5h 40m', interval: '4h 10m to 8h', isOverdue: false });
  expect(remaining(one, 1000).label).toBe(
    'fails in 5 hours 40 minutes, in eight cases of ten between 4 hours 10 minutes and 8 hours'
  );
  expect(remaining(one, 1000 + 16_000)).toMatchObject({ text: '1h 13m', interval: 'now to 3h 33m' });
  expect(remaining(one, 1000 + 20_400)).toMatchObject({ text: 'any moment', interval: 'now to 2h 20m' });
  expect(remaining(one, 1000 + 28_800)).toMatchObject({ text: '2h 20m over', isOverdue: true });
});

test('without a bound there is no time', () => {
  const one = prediction({ bound: null, eta_seconds: null, eta_low: null, eta_high: null, fails_at: null });
  expect(remaining(one, 5000)).toMatchObject({ text: 'no bound', interval: '' });
});

test('the earliest failure comes first, what has no time last', () => {
  const names = [
    prediction({ host: 'none', fails_at: null, severity: 'critical' }),
    prediction({ host: 'late', fails_at: 900 }),
    prediction({ host: 'soon', fails_at: 100, severity: 'info' }),
    prediction({ host: 'odd', fails_at: null, severity: 'info' }),
  ];
  expect(names.sort(byUrgency).map(({ host }) => host)).toEqual(['soon', 'late', 'none', 'odd']);
});
