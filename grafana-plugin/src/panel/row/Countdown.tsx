/**
 * The time left, ticking, with its interval below.
 */
import React, { useCallback } from 'react';
import { css, cx } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { Prediction } from '../../hub/types';
import { remaining } from '../../text/remaining';
import { useNow } from '../ticker';

interface Props {
  prediction: Prediction;
  /** Where it stands alone as a figure. */
  isLarge?: boolean;
}

export function Countdown({ prediction, isLarge = false }: Props) {
  const styles = useStyles2(getStyles);
  const isActive = prediction.state === 'active';
  // one text for all that is shown: it changes when something of it changes
  const shown = useNow(
    useCallback(
      (now: number) => {
        const { text, interval, label, isOverdue } = remaining(prediction, now);
        return isActive ? [text, interval, label, isOverdue ? 'overdue' : ''].join('\n') : '';
      },
      [prediction, isActive]
    )
  );
  if (!isActive) {
    return <span className={styles.ended}>{prediction.state}</span>;
  }
  const [text, interval, label, overdue] = shown.split('\n');
  const isLate = overdue === 'overdue';
  return (
    <span role="timer" aria-live="off" aria-label={label} className={styles.countdown}>
      <span
        aria-hidden
        className={cx(
          styles.text,
          isLarge && styles.large,
          prediction.eta_seconds === null && styles.boundless,
          isLate && styles.late
        )}
      >
        {text}
      </span>
      {interval !== '' && (
        <span aria-hidden className={styles.interval}>
          {interval}
        </span>
      )}
    </span>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  countdown: css({ display: 'inline-flex', flexDirection: 'column', whiteSpace: 'nowrap' }),
  text: css({
    fontSize: theme.typography.h5.fontSize,
    fontWeight: theme.typography.fontWeightMedium,
    fontVariantNumeric: 'tabular-nums',
    lineHeight: 1.3,
  }),
  large: css({ fontSize: theme.typography.h2.fontSize, fontWeight: 'normal' }),
  boundless: css({
    fontSize: theme.typography.body.fontSize,
    color: theme.colors.text.secondary,
    fontWeight: 'normal',
  }),
  late: css({ color: theme.colors.text.secondary }),
  interval: css({
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
    fontVariantNumeric: 'tabular-nums',
  }),
  ended: css({ color: theme.colors.text.secondary }),
});
