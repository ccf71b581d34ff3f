/**
 * One query: what, in which state, of which hosts and series.
 */
import React from 'react';
import { QueryEditorProps } from '@grafana/data';
import { InlineField, InlineFieldRow, InlineSwitch, Select } from '@grafana/ui';
import type { ArkiDataSource } from '../datasource';
import { ArkiOptions, ArkiQuery, LIMIT_DEFAULT } from '../types';
import { FORMAT_CHOICES, QUERY_CHOICES, STATE_CHOICES, STATISTIC_CHOICES, WITH_SERIES } from './choices';
import { ListField } from './ListField';
import { useNames } from './useNames';

type Props = QueryEditorProps<ArkiDataSource, ArkiQuery, ArkiOptions>;

const LABEL = 12;

export function QueryEditor({ query, onChange, onRunQuery, datasource }: Props) {
  const current: ArkiQuery = { ...query, queryType: query.queryType ?? 'predictions' };
  const { queryType } = current;
  const names = useNames(datasource, current.host);
  const set = (change: Partial<ArkiQuery>) => {
    onChange({ ...current, ...change });
    onRunQuery();
  };
  const states = STATE_CHOICES[queryType];

  return (
    <>
      <InlineFieldRow>
        <InlineField label="Show" labelWidth={LABEL}>
          <Select
            aria-label="Show"
            width={24}
            options={QUERY_CHOICES}
            value={queryType}
            onChange={({ value }) => set({ queryType: value, state: value === 'predictions' ? 'active' : '' })}
          />
        </InlineField>
        {states !== undefined && (
          <InlineField label="State" labelWidth={LABEL}>
            <Select
              aria-label="State"
              width={20}
              options={states}
              value={current.state || (states[0]?.value ?? '')}
              onChange={({ value }) => set({ state: value })}
            />
          </InlineField>
        )}
        {queryType === 'alerts' && (
          <InlineField label="Format" labelWidth={LABEL}>
            <Select
              aria-label="Format"
              width={20}
              options={FORMAT_CHOICES}
              value={current.format ?? 'table'}
              onChange={({ value }) => set({ format: value })}
            />
          </InlineField>
        )}
      </InlineFieldRow>
      <InlineFieldRow>
        <ListField
          label="Hosts"
          all="All hosts"
          names={names.hosts}
          value={current.host}
          set={(host) => set({ host })}
        />
        {WITH_SERIES.includes(queryType) && (
          <ListField
            label="Series"
            all={queryType === 'metrics' ? 'Choose, or type with *' : 'All series'}
            names={names.series}
            value={current.series}
            set={(series) => set({ series })}
          />
        )}
      </InlineFieldRow>
      {queryType === 'metrics' && (
        <InlineFieldRow>
          <InlineField label="Statistic" labelWidth={LABEL}>
            <Select
              aria-label="Statistic"
              width={24}
              options={STATISTIC_CHOICES}
              value={current.statistic ?? 'mean'}
              onChange={({ value }) => set({ statistic: value })}
            />
          </InlineField>
          <InlineField
            label="Forecast"
            labelWidth={LABEL}
            tooltip="The bound, and where active predictions say it goes"
          >
            <InlineSwitch
              aria-label="Forecast"
              value={current.forecast ?? false}
              onChange={(event) => set({ forecast: event.currentTarget.checked })}
            />
          </InlineField>
        </InlineFieldRow>
      )}
      {names.problem !== undefined && (
        <p role="status">
          The names cannot be listed now ({names.problem}); type them. At most {LIMIT_DEFAULT} rows are read.
        </p>
      )}
    </>
  );
}
