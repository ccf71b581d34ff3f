/**
 * How much a person has to hurry: a shape and a word, the colour only repeats them.
 */
import React from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2, IconName } from '@grafana/data';
import { Icon, useStyles2 } from '@grafana/ui';
import { Severity } from '../../hub/types';

const ICONS: Record<Severity, IconName> = {
  critical: 'exclamation-circle',
  warning: 'exclamation-triangle',
  info: 'info-circle',
};

export function SeverityTag({ severity }: { severity: Severity }) {
  const styles = useStyles2(getStyles);
  return (
    <span className={`${styles.tag} ${styles[severity]}`}>
      <Icon name={ICONS[severity]} size="sm" aria-hidden />
      {severity}
    </span>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  tag: css({
    display: 'inline-flex',
    alignItems: 'center',
    gap: theme.spacing(0.5),
    whiteSpace: 'nowrap',
    fontSize: theme.typography.bodySmall.fontSize,
    fontWeight: theme.typography.fontWeightMedium,
  }),
  critical: css({ color: theme.colors.error.text }),
  warning: css({ color: theme.colors.warning.text }),
  info: css({ color: theme.colors.info.text }),
});
