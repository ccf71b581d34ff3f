/**
 * The query of a dashboard's variable: hosts, or series of hosts.
 */
import React, { ChangeEvent, useState } from 'react';
import { QueryEditorProps, SelectableValue } from '@grafana/data';
import { InlineField, InlineFieldRow, Input } from '@grafana/ui';
import type { ArkiDataSource } from '../datasource';
import { ArkiOptions, ArkiQuery, ArkiVariableQuery, VariableKind } from '../types';
import { ChoiceField, LABEL } from './ChoiceField';

type Props = QueryEditorProps<ArkiDataSource, ArkiQuery, ArkiOptions, ArkiVariableQuery>;

const KINDS: Array<SelectableValue<VariableKind>> = [
  { value: 'hosts', label: 'Hosts' },
  { value: 'series', label: 'Series' },
];

export function VariableEditor({ query, onChange }: Props) {
  const { refId = 'ArkiVariable', kind = 'hosts', host = '', match = '' } = query;
  const current: ArkiVariableQuery = { refId, kind, host, match };
  return (
    <InlineFieldRow>
      <ChoiceField label="List" choices={KINDS} value={kind} set={(kind) => onChange({ ...current, kind })} />
      {kind === 'series' && (
        <Text
          label="Of hosts"
          placeholder="All, or $host"
          value={host}
          set={(text) => onChange({ ...current, host: text })}
        />
      )}
      <Text label="Matching" placeholder="disk*" value={match} set={(text) => onChange({ ...current, match: text })} />
    </InlineFieldRow>
  );
}

interface TextProps {
  label: string;
  placeholder: string;
  value: string;
  set: (text: string) => void;
}

/** A field that tells its text once it is left: each change asks the hub. */
function Text({ label, placeholder, value, set }: TextProps) {
  const [text, setText] = useState(value);
  return (
    <InlineField label={label} labelWidth={LABEL}>
      <Input
        aria-label={label}
        width={24}
        placeholder={placeholder}
        value={text}
        onChange={(event: ChangeEvent<HTMLInputElement>) => setText(event.currentTarget.value)}
        onBlur={() => set(text.trim())}
      />
    </InlineField>
  );
}
