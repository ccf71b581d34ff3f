import React from 'react';
import { act, render, screen } from '@testing-library/react';
import { createDataFrame, FieldType } from '@grafana/data';
import { predictionsFrame } from '../datasource/frames/predictions';
import { Service } from '../hub/sandbox';
import { prediction } from '../testing/samples';
import { cone, path } from './row/cone';
import { Countdown } from './row/Countdown';
import { counts, filtered, predictionsOf } from './rows';
import { Ticker } from './ticker';
import { candidates } from './trial/candidates';

test('the rows are what the data source put there, once each, the most urgent first', () => {
  const rows = [prediction({ id: '1', fails_at: 900 }), prediction({ id: '2', fails_at: 100 })];
  const frame = predictionsFrame('A', rows, 0);
  expect(predictionsOf([frame, frame])?.map(({ id }) => id)).toEqual(['2', '1']);
  expect(
    predictionsOf([createDataFrame({ fields: [{ name: 'x', type: FieldType.number, values: [1] }] })])
  ).toBeUndefined();
  expect(predictionsOf([predictionsFrame('A', [], 0)])).toEqual([]);
});

test('a filter takes every word and the severity', () => {
  const rows = [prediction({ severity: 'critical' }), prediction({ host: 'db-1' })];
  expect(filtered(rows, { text: 'DB disk' })).toHaveLength(1);
  expect(filtered(rows, { text: '', severity: 'critical' })).toHaveLength(1);
  expect(counts(rows)).toEqual({ critical: 1, warning: 1, info: 0 });
});

test('one timer serves all, and ends with the last', () => {
  jest.useFakeTimers();
  const ticker = new Ticker(() => 5_000);
  const [one, two] = [jest.fn(), jest.fn()];
  const [endOne, endTwo] = [ticker.subscribe(one), ticker.subscribe(two)];
  expect(jest.getTimerCount()).toBe(1);
  jest.advanceTimersByTime(2_000);
  expect([one.mock.calls.length, two.mock.calls.length, ticker.now()]).toEqual([2, 2, 5]);
  endOne();
  endTwo();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

test('a countdown ticks, and says its interval to a screen reader', () => {
  jest.useFakeTimers({ now: 1_000_000 });
  render(<Countdown prediction={prediction({ eta_seconds: 90, eta_low: 30, eta_high: 600 })} />);
  expect(screen.getByRole('timer')).toHaveTextContent('1m 30s');
  expect(screen.getByRole('timer')).toHaveAccessibleName(
    'fails in 1 minute 30 seconds, in eight cases of ten between 30 seconds and 10 minutes'
  );
  act(() => jest.advanceTimersByTime(5_000));
  expect(screen.getByRole('timer')).toHaveTextContent('1m 25s');
  jest.useRealTimers();
});

test('what has ended does not count down', () => {
  render(<Countdown prediction={prediction({ state: 'averted', ended_at: 5 })} />);
  expect(screen.queryByRole('timer')).toBeNull();
  expect(screen.getByText('averted')).toBeInTheDocument();
});

test('the cone begins at the last word and meets the bound at p10, p50 and p90', () => {
  const frame = { width: 108, height: 48, margin: 4 };
  const shape = cone(
    prediction({ value: 50, eta_low: 100, eta_seconds: 200, eta_high: 400, raised_at: 0 }),
    100,
    frame
  );
  expect(shape).toMatchObject({
    start: { x: 4, y: 44 },
    earliest: { x: 29, y: 4 },
    median: { x: 54, y: 4 },
    latest: { x: 104, y: 4 },
    nowX: 29,
  });
  const falling = cone(prediction({ value: 50, bound: 0, raised_at: 0 }), 0, frame);
  expect([falling?.start.y, falling?.boundY]).toEqual([4, 44]);
  expect(cone(prediction({ bound: null }), 0, frame)).toBeUndefined();
  expect(
    path([
      { x: 1, y: 2 },
      { x: 3.14, y: 4 },
    ])
  ).toBe('M1.0 2.0L3.1 4.0');
});

test('now never leaves the picture, however overdue', () => {
  const shape = cone(prediction(), 10_000_000, { width: 108, height: 48, margin: 4 });
  expect(shape?.nowX).toBe(104);
});

test('actions that name the series as their case come first', () => {
  const action = (name: string, candidate_for: string[]) => ({
    name,
    candidate_for,
    title: name,
    argv: [],
    proves: [],
    does_not_prove: [],
    undo: '',
    applicable: true,
  });
  const services: Service[] = [
    { name: 'a', title: 'A', actions: [action('any', []), action('memory', ['memory.*'])] },
    { name: 'b', title: 'B', actions: [action('logs', ['disk.used_percent*'])] },
  ];
  const found = candidates(services, prediction());
  expect(found.map((one) => [one.action.name, one.isSuggested])).toEqual([
    ['logs', true],
    ['any', false],
    ['memory', false],
  ]);
});
