/**
 * Sandbox runs, newest first.
 */
import { createDataFrame, DataFrame } from '@grafana/data';
import { Run } from '../../hub/sandbox';
import { columns, RUN_STATE } from './fields';

export function runsFrame(refId: string, rows: Run[]): DataFrame {
  const of = columns(rows);
  return createDataFrame({
    refId,
    name: 'runs',
    fields: [
      of.time('time', (row) => row.created_at),
      of.text('host', (row) => row.host),
      of.text('service', (row) => row.service),
      of.text('action', (row) => row.action),
      of.text('state', (row) => row.state, RUN_STATE),
      of.text('outcome', (row) => row.outcome),
      of.text('proves', (row) => row.fidelity),
      of.number('took', took, { unit: 's' }),
      of.text('decision', (row) => row.decision?.decision ?? null),
      of.text('by', (row) => row.decision?.name ?? row.requested_by),
      of.text('reason', (row) => row.decision?.reason ?? row.error),
      of.text('prediction', (row) => row.prediction),
      of.text('id', (row) => row.id),
    ],
  });
}

function took(run: Run): number | null {
  return run.started_at === null || run.finished_at === null ? null : run.finished_at - run.started_at;
}
