/**
 * Fields as all frames have them: times come in Unix seconds and leave in milliseconds.
 */
import {
  Field,
  FieldColorModeId,
  FieldConfig,
  FieldType,
  MappingType,
  ThresholdsMode,
  ValueMapping,
} from '@grafana/data';

export function time(name: string, seconds: Array<number | null>, config: FieldConfig = {}): Partial<Field> & Named {
  const values = seconds.map((second) => (second === null ? null : second * 1000));
  return { name, type: FieldType.time, values, config };
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

/** A cell that takes the colour of its mapping; read by the table. */
const COLOURED = { cellOptions: { type: 'color-text' } };

export const SEVERITY: FieldConfig = {
  custom: COLOURED,
  mappings: [
    mapping({
      critical: { text: 'critical', color: 'red', index: 0 },
      warning: { text: 'warning', color: 'orange', index: 1 },
      info: { text: 'info', color: 'blue', index: 2 },
    }),
  ],
  ...still(),
};

export const OUTCOME: FieldConfig = {
  custom: COLOURED,
  mappings: [
    mapping({
      active: { text: 'active', color: 'orange', index: 0 },
      happened: { text: 'happened', color: 'red', index: 1 },
      averted: { text: 'averted', color: 'green', index: 2 },
      expired: { text: 'expired', color: 'text', index: 3 },
    }),
  ],
  ...still(),
};

export const VERDICT: FieldConfig = {
  mappings: [
    mapping({
      yes: { text: 'yes', color: 'orange', index: 0 },
      no: { text: 'no', color: 'green', index: 1 },
      abstain: { text: 'abstains', color: '#8e8e9a', index: 2 },
      veto: { text: 'vetoes', color: 'blue', index: 3 },
    }),
  ],
  ...still(),
};

export const RUN_STATE: FieldConfig = {
  custom: COLOURED,
  mappings: [
    mapping({
      queued: { text: 'queued', color: 'text', index: 0 },
      claimed: { text: 'claimed', color: 'blue', index: 1 },
      running: { text: 'running', color: 'blue', index: 2 },
      done: { text: 'done', color: 'green', index: 3 },
      failed: { text: 'failed', color: 'red', index: 4 },
      cancelled: { text: 'cancelled', color: 'text', index: 5 },
    }),
  ],
  ...still(),
};

export const AGENT_STATE: FieldConfig = {
  custom: COLOURED,
  mappings: [
    mapping({
      active: { text: 'active', color: 'green', index: 0 },
      silent: { text: 'silent', color: 'red', index: 1 },
      waiting: { text: 'waiting', color: 'orange', index: 2 },
      revoked: { text: 'revoked', color: 'text', index: 3 },
    }),
  ],
  ...still(),
};

function mapping(options: Record<string, { text: string; color: string; index: number }>): ValueMapping {
  return { type: MappingType.ValueToText, options };
}

/** One colour where no mapping gives another. */
function still(): FieldConfig {
  return {
    color: { mode: FieldColorModeId.Thresholds },
    thresholds: { mode: ThresholdsMode.Absolute, steps: [{ value: -Infinity, color: 'text' }] },
  };
}
