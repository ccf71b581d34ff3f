/**
 * Predictions as a table, one row each. The field `detail` carries the whole prediction for the panel "Arki predictions";
 * tables do not show it.
 */
import { createDataFrame, DataFrame, FieldType } from '@grafana/data';
import { Prediction, Verdict, VoterName } from '../../hub/types';
import { byUrgency } from '../../text/sort';
import { columns, OUTCOME, SEVERITY, VERDICT } from './fields';

export const DETAIL = 'detail';

/** What needs a person first, first: a panel may show the first rows only. What has ended follows, as it came. */
function inOrder(rows: Prediction[]): Prediction[] {
  const isActive = (row: Prediction) => row.state === 'active';
  return [...rows.filter(isActive).sort(byUrgency), ...rows.filter((row) => !isActive(row))];
}

/** @param now Unix seconds: the time to failure counts from here */
export function predictionsFrame(refId: string, unordered: Prediction[], now: number): DataFrame {
  const rows = inOrder(unordered);
  const of = columns(rows);
  const verdicts = (voter: VoterName) => of.text(voter, (row) => verdictOf(row, voter), VERDICT);
  return createDataFrame({
    refId,
    name: 'predictions',
    fields: [
      of.time('first told', (row) => row.first_at),
      of.text('host', (row) => row.host),
      of.text('series', (row) => row.series),
      of.text('severity', (row) => row.severity, SEVERITY),
      of.text('state', (row) => row.state, OUTCOME),
      of.number('value', (row) => row.value),
      of.number('bound', (row) => row.bound),
      of.time('fails at', (row) => row.fails_at),
      of.number('time to failure', (row) => left(row, now), { unit: 's', decimals: 0 }),
      of.time('earliest (p10)', (row) => at(row, row.eta_low)),
      of.time('latest (p90)', (row) => at(row, row.eta_high)),
      verdicts('trend'),
      verdicts('correlation'),
      verdicts('pattern'),
      of.time('last told', (row) => row.raised_at),
      of.time('ended', (row) => row.ended_at),
      of.text('id', (row) => row.id),
      {
        name: DETAIL,
        type: FieldType.other,
        values: rows,
        config: { custom: { hidden: true, hideFrom: { viz: true } } },
      },
    ],
  });
}

/** What `voter` said of it; nothing where the votes did not come along. */
export function verdictOf(prediction: Prediction, voter: VoterName): Verdict | null {
  return prediction.votes?.find((vote) => vote.voter === voter)?.verdict ?? null;
}

/** Seconds; nothing where there is no time, or nothing to come any more. */
function left(prediction: Prediction, now: number): number | null {
  const { state, fails_at } = prediction;
  return state !== 'active' || fails_at === null ? null : Math.max(0, fails_at - now);
}

function at(prediction: Prediction, eta: number | null): number | null {
  return eta === null ? null : Math.round(prediction.raised_at + eta);
}
