/**
 * The geometry of a forecast cone: from the value at the last word to the bound, at the earliest, median and latest time.
 * Pure: seconds and values in, coordinates out.
 */
import { Prediction } from '../../hub/types';

export interface Point {
  x: number;
  y: number;
}

export interface Cone {
  /** The last word. */
  start: Point;
  /** Where the bound is crossed. */
  earliest: Point;
  median: Point;
  latest: Point;
  /** The bound's height. */
  boundY: number;
  /** Where now is; within the picture. */
  nowX: number;
  /** Past values, where there are some. */
  past: Point[];
}

export interface Frame {
  width: number;
  height: number;
  /** Room on all sides. */
  margin: number;
}

export interface Past {
  time: number[];
  value: number[];
}

/** Nothing where there is no bound or no time. */
export function cone(prediction: Prediction, now: number, frame: Frame, past?: Past): Cone | undefined {
  const { raised_at, value, bound, eta_seconds, eta_low, eta_high } = prediction;
  if (bound === null || eta_seconds === null) {
    return undefined;
  }
  const [low, high] = [eta_low ?? eta_seconds, eta_high ?? eta_seconds];
  const history = zip(past);
  const values = [value, bound, ...history.map(([, one]) => one)];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const from = Math.min(raised_at, history[0]?.[0] ?? raised_at);
  // what is long overdue stands at the edge
  const to = raised_at + Math.max(high, 1);
  const { width, height, margin } = frame;
  const x = (at: number) => margin + ((clamp(at, from, to) - from) / (to - from)) * (width - 2 * margin);
  const y = (one: number) => height - margin - ((one - least) / (most - least || 1)) * (height - 2 * margin);
  const boundY = y(bound);
  const cross = (eta: number) => ({ x: x(raised_at + eta), y: boundY });
  return {
    start: { x: x(raised_at), y: y(value) },
    earliest: cross(low),
    median: cross(eta_seconds),
    latest: cross(high),
    boundY,
    nowX: x(now),
    past: history.map(([at, one]) => ({ x: x(at), y: y(one) })),
  };
}

/** Points as an SVG path. */
export function path(points: Point[]): string {
  return points.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
}

function zip(past: Past | undefined): Array<[number, number]> {
  return (past?.time ?? []).flatMap((at, i): Array<[number, number]> => {
    const value = past?.value[i];
    return value === undefined ? [] : [[at, value]];
  });
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
