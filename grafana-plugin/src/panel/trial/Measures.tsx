/**
 * Before and after, on the copy that was tried on and on the one that was left alone.
 */
import React from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { Measured, TrialCopy, TrialResult } from '../../hub/sandbox';
import { figure } from '../../text/figure';

type Value = number | string | null;

interface Line {
  title: string;
  values: [Value, Value, Value, Value];
  show: (value: Value) => string;
}

export function Measures({ result }: { result: TrialResult }) {
  const styles = useStyles2(getStyles);
  const { tried, control } = result;
  const lines = [
    health(tried, control),
    ...tried.measures.map((one) => measured(one, control)),
    memory(tried, control),
  ];
  return (
    <table className={styles.table}>
      <caption>Before and after</caption>
      <thead>
        <tr>
          <th scope="col" rowSpan={2}>
            Measure
          </th>
          <th scope="colgroup" colSpan={2}>
            Tried on
          </th>
          <th scope="colgroup" colSpan={2}>
            Left alone
          </th>
        </tr>
        <tr>
          {['before', 'after', 'before', 'after'].map((when, i) => (
            <th scope="col" key={i}>
              {when}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {lines.map(({ title, values, show }) => (
          <tr key={title}>
            <th scope="row">{title}</th>
            {values.map((value, i) => (
              <td key={i} className={i === 1 && value !== values[0] ? styles.moved : undefined}>
                {show(value)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function measured(one: Measured, control: TrialCopy): Line {
  const other = control.measures.find(({ name }) => name === one.name);
  return {
    title: one.title,
    values: [one.before, one.after, other?.before ?? null, other?.after ?? null],
    show: (value) => (typeof value === 'number' ? quantity(value, one) : plain(value)),
  };
}

function quantity(value: number, { kind, unit }: Measured): string {
  if (kind === 'success') {
    return yesOrNo(value === 1);
  }
  return unit === 'B' || unit === 'bytes' ? figure('copy.size_bytes', value) : `${figure('', value)} ${unit}`.trim();
}

function yesOrNo(is: boolean): string {
  return is ? 'yes' : 'no';
}

function health(tried: TrialCopy, control: TrialCopy): Line {
  const word = (is: boolean | null) => (is === null ? null : yesOrNo(is));
  const both = (copy: TrialCopy): [Value, Value] => [word(copy.healthy_before), word(copy.healthy_after)];
  return { title: 'Healthy', values: [...both(tried), ...both(control)], show: plain };
}

function memory(tried: TrialCopy, control: TrialCopy): Line {
  const { memory_bytes_before: before, memory_bytes_after: after } = tried;
  return {
    title: 'Memory',
    values: [before, after, control.memory_bytes_before, control.memory_bytes_after],
    show: (value) => (typeof value === 'number' ? figure('copy.memory_bytes', value) : plain(value)),
  };
}

function plain(value: Value): string {
  return value === null ? '–' : String(value);
}

const getStyles = (theme: GrafanaTheme2) => ({
  table: css({
    marginBottom: theme.spacing(2),
    fontVariantNumeric: 'tabular-nums',
    caption: { captionSide: 'top', textAlign: 'left', color: 'inherit', fontWeight: theme.typography.fontWeightMedium },
    'th, td': {
      padding: theme.spacing(0.25, 2, 0.25, 0),
      textAlign: 'left',
      fontWeight: 'normal',
      borderBottom: `1px solid ${theme.colors.border.weak}`,
    },
    'thead th': { color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize },
  }),
  moved: css({ fontWeight: theme.typography.fontWeightBold }),
});
