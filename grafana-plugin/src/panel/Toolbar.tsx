/**
 * How many there are of each severity, each a filter; and a field to find a host or series.
 */
import React, { ChangeEvent } from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { FilterPill, Icon, Input, useStyles2 } from '@grafana/ui';
import { Prediction, Severity } from '../hub/types';
import { counts, Filter } from './rows';

interface Props {
  rows: Prediction[];
  filter: Filter;
  onChange: (filter: Filter) => void;
}

const SEVERITIES: Severity[] = ['critical', 'warning', 'info'];

export function Toolbar({ rows, filter, onChange }: Props) {
  const styles = useStyles2(getStyles);
  const sums = counts(rows);
  return (
    <div className={styles.bar} role="search" aria-label="Filter predictions">
      {SEVERITIES.filter((severity) => sums[severity] > 0).map((severity) => {
        const isChosen = filter.severity === severity;
        return (
          <FilterPill
            key={severity}
            label={`${sums[severity]} ${severity}`}
            selected={isChosen}
            onClick={() => onChange({ ...filter, severity: isChosen ? undefined : severity })}
          />
        );
      })}
      <Input
        className={styles.find}
        width={24}
        prefix={<Icon name="search" aria-hidden />}
        placeholder="Host or series"
        aria-label="Find a host or series"
        value={filter.text}
        onChange={(event: ChangeEvent<HTMLInputElement>) => onChange({ ...filter, text: event.currentTarget.value })}
      />
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  bar: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(1), padding: theme.spacing(0.5, 1) }),
  find: css({ marginLeft: 'auto' }),
});
