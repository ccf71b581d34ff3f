/**
 * One query: what, in which state, of which hosts and series.
 */
import React from 'react';
import { QueryEditorProps } from '@grafana/data';
import { InlineField, InlineFieldRow, InlineSwitch } from '@grafana/ui';
import type { ArkiDataSource } from '../datasource';
import { ArkiOptions, ArkiQuery, LIMIT_DEFAULT, STATE_DEFAULTS } from '../types';
import { ChoiceField, LABEL } from './ChoiceField';
import { FORMAT_CHOICES, QUERY_CHOICES, STATE_CHOICES, STATISTIC_CHOICES, WITH_SERIES } from './choices';
import { ListField } from './ListField';
import { useNames } from './useNames';

type Props = QueryEditorProps<ArkiDataSource, ArkiQuery, ArkiOptions>;

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
        <ChoiceField
          label="Show"
          width={24}
          choices={QUERY_CHOICES}
          value={queryType}
          set={(queryType) => set({ queryType, state: STATE_DEFAULTS[queryType] ?? '' })}
        />
        {states !== undefined && (
          <ChoiceField
            label="State"
            choices={states}
            value={current.state || (STATE_DEFAULTS[queryType] ?? '')}
            set={(state) => set({ state })}
          />
        )}
        {queryType === 'alerts' && (
          <ChoiceField
            label="Format"
            choices={FORMAT_CHOICES}
            value={current.format ?? 'table'}
            set={(format) => set({ format })}
          />
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
          <ChoiceField
            label="Statistic"
            width={24}
            choices={STATISTIC_CHOICES}
            value={current.statistic ?? 'mean'}
            set={(statistic) => set({ statistic })}
          />
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
