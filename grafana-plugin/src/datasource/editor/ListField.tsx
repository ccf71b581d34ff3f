/**
 * Several names, chosen from a list or typed: variables and `*` are welcome.
 */
import React from 'react';
import { InlineField, MultiSelect } from '@grafana/ui';
import { items } from '../interpolate';
import { LABEL } from './ChoiceField';

interface Props {
  label: string;
  /** What an empty field means. */
  all: string;
  names: string[];
  value: string | undefined;
  set: (value: string) => void;
}

export function ListField({ label, all, names, value, set }: Props) {
  const chosen = items(value);
  const options = [...new Set([...chosen, ...names])].map((name) => ({ value: name, label: name }));
  return (
    <InlineField label={label} labelWidth={LABEL}>
      <MultiSelect
        aria-label={label}
        width={48}
        options={options}
        value={chosen}
        placeholder={all}
        allowCustomValue
        isClearable
        onChange={(all) => set(all.flatMap((one) => one.value ?? []).join(','))}
      />
    </InlineField>
  );
}
