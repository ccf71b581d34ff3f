/**
 * What stands in place of the rows: nothing predicted, still asking, not understood.
 */
import React, { ReactNode } from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2, IconName } from '@grafana/data';
import { Icon, Spinner, useStyles2 } from '@grafana/ui';

interface Props {
  icon: IconName | 'spinner';
  title: string;
  children?: ReactNode;
}

export function Notice({ icon, title, children }: Props) {
  const styles = useStyles2(getStyles);
  return (
    <div role="status" className={styles.notice}>
      {icon === 'spinner' ? <Spinner size="xl" /> : <Icon name={icon} size="xxl" aria-hidden />}
      <strong>{title}</strong>
      <div className={styles.text}>{children}</div>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  notice: css({
    height: '100%',
    display: 'flex',
    flexDirection: 'column',
    alignItems: 'center',
    justifyContent: 'center',
    gap: theme.spacing(1),
    padding: theme.spacing(2),
    textAlign: 'center',
    color: theme.colors.text.secondary,
    strong: { color: theme.colors.text.primary, fontWeight: theme.typography.fontWeightMedium },
  }),
  text: css({ maxWidth: 520 }),
});
