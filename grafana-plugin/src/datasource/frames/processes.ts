/**
 * The processes that grew most when something was predicted, newest prediction first.
 */
import { createDataFrame, DataFrame } from '@grafana/data';
import { Prediction } from '../../hub/types';
import { number, text, time } from './fields';

export function processesFrame(refId: string, rows: Prediction[]): DataFrame {
  const all = rows.flatMap((row) => (row.processes ?? []).map((process) => ({ row, process })));
  return createDataFrame({
    refId,
    name: 'processes',
    fields: [
      time(
        'time',
        all.map(({ row }) => row.raised_at)
      ),
      text(
        'host',
        all.map(({ row }) => row.host)
      ),
      text(
        'series',
        all.map(({ row }) => row.series)
      ),
      text(
        'process',
        all.map(({ process }) => process.name)
      ),
      number(
        'pid',
        all.map(({ process }) => process.pid),
        { unit: 'none', decimals: 0 }
      ),
      text(
        'resource',
        all.map(({ process }) => process.resource)
      ),
      number(
        'growth',
        all.map(({ process }) => process.growth),
        { unit: 'short' }
      ),
      number(
        'over',
        all.map(({ process }) => process.span_s),
        { unit: 's' }
      ),
      number(
        'now',
        all.map(({ process }) => process.value),
        { unit: 'short' }
      ),
    ],
  });
}
