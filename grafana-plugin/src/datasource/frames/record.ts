/**
 * The track record: how what was predicted ended, how early it was told, and whether it came when it was said to.
 */
import { createDataFrame, DataFrame } from '@grafana/data';
import { Prediction } from '../../hub/types';
import { number } from './fields';

export function recordFrame(refId: string, rows: Prediction[]): DataFrame {
  const of = (state: Prediction['state']) => rows.filter((row) => row.state === state);
  const happened = of('happened');
  const leads = happened.flatMap((row) => (row.ended_at === null ? [] : [row.ended_at - row.first_at]));
  const timed = happened.filter((row) => row.eta_high !== null && row.eta_low !== null);
  const share = timed.length === 0 ? null : timed.filter(cameAsTimed).length / timed.length;
  return createDataFrame({
    refId,
    name: 'record',
    fields: [
      number('happened', [happened.length]),
      number('averted', [of('averted').length]),
      number('expired', [of('expired').length]),
      number('active', [of('active').length]),
      number('median lead', [median(leads)], { unit: 's' }),
      number('came as timed', [share], { unit: 'percentunit', min: 0, max: 1 }),
    ],
  });
}

/** Summaries are buckets of five minutes: the hub knows the end of a failure's bucket. */
const BUCKET_S = 300;

function cameAsTimed(row: Prediction): boolean {
  const took = (row.ended_at ?? Infinity) - row.raised_at;
  return took >= (row.eta_low ?? Infinity) && took - BUCKET_S <= (row.eta_high ?? -Infinity);
}

function median(values: number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[middle]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}
