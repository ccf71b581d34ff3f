/**
 * Predictions as regions on any graph: from when it was first told until it ended, or until it is said to fail.
 */
import { createDataFrame, DataFrame } from '@grafana/data';
import { Prediction } from '../../hub/types';
import { figure } from '../../text/figure';
import { span } from '../../text/duration';
import { text, time } from './fields';

const COLOURS = { critical: 'red', warning: 'orange', info: 'blue' };

export function annotationsFrame(refId: string, rows: Prediction[]): DataFrame {
  return createDataFrame({
    refId,
    name: 'annotations',
    fields: [
      time(
        'time',
        rows.map((row) => row.first_at)
      ),
      time(
        'timeEnd',
        rows.map((row) => row.ended_at ?? row.fails_at ?? row.raised_at)
      ),
      text(
        'title',
        rows.map((row) => `${row.host}: ${row.series}`)
      ),
      text('text', rows.map(describe)),
      text(
        'tags',
        rows.map((row) => [row.severity, row.state, row.host].join(','))
      ),
      text(
        'color',
        rows.map((row) => COLOURS[row.severity])
      ),
      text(
        'id',
        rows.map((row) => row.id)
      ),
    ],
  });
}

function describe(row: Prediction): string {
  const at = figure(row.series, row.value);
  const what = row.bound === null ? `${at}, unusual here` : `${at}, bound ${figure(row.series, row.bound)}`;
  const when = row.eta_seconds === null ? '' : `, expected after ${span(row.eta_seconds)}`;
  return `${what}${when} (${row.state})`;
}
