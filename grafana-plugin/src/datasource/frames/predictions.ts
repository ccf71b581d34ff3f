/**
 * Predictions as a table, one row each. The field `detail` carries the whole prediction for the panel "Arki predictions";
 * tables do not show it.
 */
import { createDataFrame, DataFrame, FieldType } from '@grafana/data';
import { Prediction, Verdict, VoterName } from '../../hub/types';
import { number, OUTCOME, SEVERITY, text, time, VERDICT } from './fields';

export const DETAIL = 'detail';

/** @param now Unix seconds: the time to failure counts from here */
export function predictionsFrame(refId: string, rows: Prediction[], now: number): DataFrame {
  const verdicts = (voter: VoterName) =>
    text(
      voter,
      rows.map((row) => verdictOf(row, voter)),
      VERDICT
    );
  return createDataFrame({
    refId,
    name: 'predictions',
    fields: [
      time(
        'first told',
        rows.map((row) => row.first_at)
      ),
      text(
        'host',
        rows.map((row) => row.host)
      ),
      text(
        'series',
        rows.map((row) => row.series)
      ),
      text(
        'severity',
        rows.map((row) => row.severity),
        SEVERITY
      ),
      text(
        'state',
        rows.map((row) => row.state),
        OUTCOME
      ),
      number(
        'value',
        rows.map((row) => row.value)
      ),
      number(
        'bound',
        rows.map((row) => row.bound)
      ),
      time(
        'fails at',
        rows.map((row) => row.fails_at)
      ),
      number(
        'time to failure',
        rows.map((row) => left(row, now)),
        { unit: 's', decimals: 0 }
      ),
      time(
        'earliest (p10)',
        rows.map((row) => at(row, row.eta_low))
      ),
      time(
        'latest (p90)',
        rows.map((row) => at(row, row.eta_high))
      ),
      verdicts('trend'),
      verdicts('correlation'),
      verdicts('pattern'),
      time(
        'last told',
        rows.map((row) => row.raised_at)
      ),
      time(
        'ended',
        rows.map((row) => row.ended_at)
      ),
      text(
        'id',
        rows.map((row) => row.id)
      ),
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
