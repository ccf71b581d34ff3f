/**
 * What is in trouble: the host, and which of its series stands where.
 */
import React from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { Prediction } from '../../hub/types';
import { figure } from '../../text/figure';

export function Subject({ prediction }: { prediction: Prediction }) {
  const styles = useStyles2(getStyles);
  const { host, series, value, bound } = prediction;
  const at = bound === null ? figure(series, value) : `${figure(series, value)} of ${figure(series, bound)}`;
  return (
    <div className={styles.subject}>
      <strong className={styles.host}>{host}</strong>
      <span className={styles.series}>{series}</span>
      <span className={styles.value}>{at}</span>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  subject: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'baseline', columnGap: theme.spacing(1), minWidth: 0 }),
  host: css({ fontWeight: theme.typography.fontWeightMedium }),
  series: css({
    fontFamily: theme.typography.fontFamilyMonospace,
    fontSize: theme.typography.bodySmall.fontSize,
    // what tells two series apart stands at their ends
    overflowWrap: 'anywhere',
  }),
  value: css({
    flexBasis: '100%',
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
    fontVariantNumeric: 'tabular-nums',
  }),
});
