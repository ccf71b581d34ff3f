/**
 * Predictions as regions on any graph: from when it was first told until it ended, or until it is said to fail.
 */
import { createDataFrame, DataFrame } from '@grafana/data';
import { Prediction } from '../../hub/types';
import { figure } from '../../text/figure';
import { span } from '../../text/duration';
import { columns } from './fields';

const COLOURS = { critical: 'red', warning: 'orange', info: 'blue' };

export function annotationsFrame(refId: string, rows: Prediction[]): DataFrame {
  const of = columns(rows);
  return createDataFrame({
    refId,
    name: 'annotations',
    fields: [
      of.time('time', (row) => row.first_at),
      of.time('timeEnd', (row) => row.ended_at ?? row.fails_at ?? row.raised_at),
      of.text('title', (row) => `${row.host}: ${row.series}`),
      of.text('text', describe),
      of.text('tags', (row) => [row.severity, row.state, row.host].join(',')),
      of.text('color', (row) => COLOURS[row.severity]),
      of.text('id', (row) => row.id),
    ],
  });
}

function describe(row: Prediction): string {
  const at = figure(row.series, row.value);
  const what = row.bound === null ? `${at}, unusual here` : `${at}, bound ${figure(row.series, row.bound)}`;
  const when = row.eta_seconds === null ? '' : `, expected after ${span(row.eta_seconds)}`;
  return `${what}${when} (${row.state})`;
}
