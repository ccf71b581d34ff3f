/**
 * Sandbox runs, newest first.
 */
import { createDataFrame, DataFrame } from '@grafana/data';
import { Run } from '../../hub/sandbox';
import { number, RUN_STATE, text, time } from './fields';

export function runsFrame(refId: string, rows: Run[]): DataFrame {
  return createDataFrame({
    refId,
    name: 'runs',
    fields: [
      time(
        'time',
        rows.map((row) => row.created_at)
      ),
      text(
        'host',
        rows.map((row) => row.host)
      ),
      text(
        'service',
        rows.map((row) => row.service)
      ),
      text(
        'action',
        rows.map((row) => row.action)
      ),
      text(
        'state',
        rows.map((row) => row.state),
        RUN_STATE
      ),
      text(
        'outcome',
        rows.map((row) => row.outcome)
      ),
      text(
        'proves',
        rows.map((row) => row.fidelity)
      ),
      number('took', rows.map(took), { unit: 's' }),
      text(
        'decision',
        rows.map((row) => row.decision?.decision ?? null)
      ),
      text(
        'by',
        rows.map((row) => row.decision?.name ?? row.requested_by)
      ),
      text(
        'reason',
        rows.map((row) => row.decision?.reason ?? row.error)
      ),
      text(
        'prediction',
        rows.map((row) => row.prediction)
      ),
      text(
        'id',
        rows.map((row) => row.id)
      ),
    ],
  });
}

function took(run: Run): number | null {
  return run.started_at === null || run.finished_at === null ? null : run.finished_at - run.started_at;
}
