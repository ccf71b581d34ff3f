/**
 * Fields as all frames have them: times come in Unix seconds and leave in milliseconds.
 */
import { Field, FieldColorModeId, FieldConfig, FieldType, MappingType, ThresholdsMode } from '@grafana/data';

export function time(name: string, seconds: Array<number | null>): Partial<Field> & Named {
  const values = seconds.map((second) => (second === null ? null : second * 1000));
  return { name, type: FieldType.time, values, config: {} };
}

export function text(name: string, values: Array<string | null>, config: FieldConfig = {}): Partial<Field> & Named {
  return { name, type: FieldType.string, values, config };
}

export function number(name: string, values: Array<number | null>, config: FieldConfig = {}): Partial<Field> & Named {
  return { name, type: FieldType.number, values, config };
}

interface Named {
  name: string;
}

/** Fields that each take one value of every row. */
export function columns<T>(rows: T[]) {
  return {
    time: (name: string, of: (row: T) => number | null) => time(name, rows.map(of)),
    text: (name: string, of: (row: T) => string | null, config?: FieldConfig) => text(name, rows.map(of), config),
    number: (name: string, of: (row: T) => number | null, config?: FieldConfig) => number(name, rows.map(of), config),
  };
}

/** A cell that takes the colour of its mapping; read by the table. */
const COLOURED = { custom: { cellOptions: { type: 'color-text' } } };

export const SEVERITY: FieldConfig = { ...COLOURED, ...words({ critical: 'red', warning: 'orange', info: 'blue' }) };

export const OUTCOME: FieldConfig = {
  ...COLOURED,
  ...words({ active: 'orange', happened: 'red', averted: 'green', expired: 'text' }),
};

export const VERDICT: FieldConfig = words(
  { yes: 'orange', no: 'green', abstain: '#8e8e9a', veto: 'blue' },
  { abstain: 'abstains', veto: 'vetoes' }
);

export const RUN_STATE: FieldConfig = {
  ...COLOURED,
  ...words({ queued: 'text', claimed: 'blue', running: 'blue', done: 'green', failed: 'red', cancelled: 'text' }),
};

export const AGENT_STATE: FieldConfig = {
  ...COLOURED,
  ...words({ active: 'green', silent: 'red', waiting: 'orange', revoked: 'text' }),
};

/** Words in their colours, shown as they are unless `shown` has another; the one colour of text where no word fits. */
function words(colours: Record<string, string>, shown: Record<string, string> = {}): FieldConfig {
  const options = Object.fromEntries(
    Object.entries(colours).map(([word, color], index) => [word, { text: shown[word] ?? word, color, index }])
  );
  return {
    mappings: [{ type: MappingType.ValueToText, options }],
    color: { mode: FieldColorModeId.Thresholds },
    thresholds: { mode: ThresholdsMode.Absolute, steps: [{ value: -Infinity, color: 'text' }] },
  };
}
