/**
 * One of a few.
 */
import React from 'react';
import { SelectableValue } from '@grafana/data';
import { InlineField, Select } from '@grafana/ui';

/** The width of every label of the editors. */
export const LABEL = 12;

interface Props<T> {
  label: string;
  width?: number;
  choices: Array<SelectableValue<T>>;
  value: T;
  set: (value: T) => void;
}

export function ChoiceField<T>({ label, width = 20, choices, value, set }: Props<T>) {
  return (
    <InlineField label={label} labelWidth={LABEL}>
      <Select
        aria-label={label}
        width={width}
        options={choices}
        value={value}
        onChange={({ value }) => value !== undefined && set(value)}
      />
    </InlineField>
  );
}
