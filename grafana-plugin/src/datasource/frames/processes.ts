/**
 * The processes that grew most when something was predicted, newest prediction first.
 */
import { createDataFrame, DataFrame } from '@grafana/data';
import { Prediction } from '../../hub/types';
import { columns } from './fields';

export function processesFrame(refId: string, rows: Prediction[]): DataFrame {
  const of = columns(rows.flatMap((row) => (row.processes ?? []).map((process) => ({ row, process }))));
  return createDataFrame({
    refId,
    name: 'processes',
    fields: [
      of.time('time', ({ row }) => row.raised_at),
      of.text('host', ({ row }) => row.host),
      of.text('series', ({ row }) => row.series),
      of.text('process', ({ process }) => process.name),
      of.number('pid', ({ process }) => process.pid, { unit: 'none', decimals: 0 }),
      of.text('resource', ({ process }) => process.resource),
      of.number('growth', ({ process }) => process.growth, { unit: 'short' }),
      of.number('over', ({ process }) => process.span_s, { unit: 's' }),
      of.number('now', ({ process }) => process.value, { unit: 'short' }),
    ],
  });
}
