/**
 * The predictions in a panel's data, as the data source put them there, the most urgent first.
 */
import { DataFrame, FieldType } from '@grafana/data';
import { Prediction, Severity } from '../hub/types';
import { byUrgency } from '../text/sort';

const DETAIL = 'detail';

/** Nothing where no frame has come that carries predictions: another query, or another data source. */
export function predictionsOf(frames: DataFrame[]): Prediction[] | undefined {
  const fields = frames.flatMap((frame) => {
    const field = frame.fields.find((field) => field.name === DETAIL && field.type === FieldType.other);
    return field === undefined ? [] : [field];
  });
  if (fields.length === 0) {
    return undefined;
  }
  const all = fields.flatMap((field) => Array.from<unknown>(field.values)).filter(isPrediction);
  const unique = new Map(all.map((prediction) => [prediction.id, prediction]));
  return [...unique.values()].sort(byUrgency);
}

function isPrediction(value: unknown): value is Prediction {
  return typeof value === 'object' && value !== null && 'id' in value && 'series' in value && 'raised_at' in value;
}

export interface Filter {
  text: string;
  severity?: Severity;
}

/** Rows whose host or series contain every word that was typed. */
export function filtered(rows: Prediction[], { text, severity }: Filter): Prediction[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    const said = `${row.host} ${row.series} ${row.state}`.toLowerCase();
    return (severity === undefined || row.severity === severity) && words.every((word) => said.includes(word));
  });
}

/** How many of each severity. */
export function counts(rows: Prediction[]): Record<Severity, number> {
  const sums = { critical: 0, warning: 0, info: 0 };
  for (const row of rows) {
    sums[row.severity] += 1;
  }
  return sums;
}
