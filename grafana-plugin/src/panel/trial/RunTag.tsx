/**
 * Where a run stands: its decision once there is one, else its state.
 */
import React from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2, IconName } from '@grafana/data';
import { Icon, useStyles2 } from '@grafana/ui';
import { Run } from '../../hub/sandbox';

type Tone = 'good' | 'bad' | 'going' | 'calm';

interface Look {
  word: string;
  icon: IconName;
  tone: Tone;
}

export function lookOf(run: Run): Look {
  if (run.decision !== null) {
    return run.decision.decision === 'apply'
      ? { word: 'to be applied', icon: 'check-circle', tone: 'good' }
      : { word: 'dismissed', icon: 'times-circle', tone: 'calm' };
  }
  switch (run.state) {
    case 'queued':
      return { word: 'queued', icon: 'clock-nine', tone: 'calm' };
    case 'claimed':
    case 'running':
      return { word: run.state === 'claimed' ? 'starting' : 'running', icon: 'sync', tone: 'going' };
    case 'done':
      return run.outcome === 'failed'
        ? { word: 'no help', icon: 'times', tone: 'bad' }
        : { word: 'worked', icon: 'check', tone: 'good' };
    case 'failed':
      return { word: 'failed', icon: 'times', tone: 'bad' };
    case 'cancelled':
      return { word: 'cancelled', icon: 'times', tone: 'calm' };
  }
}

export function RunTag({ run }: { run: Run }) {
  const styles = useStyles2(getStyles);
  const { word, icon, tone } = lookOf(run);
  return (
    <span className={`${styles.tag} ${styles[tone]}`}>
      <Icon name={icon} size="sm" aria-hidden />
      {word}
    </span>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  tag: css({
    display: 'inline-flex',
    alignItems: 'center',
    gap: theme.spacing(0.5),
    fontSize: theme.typography.bodySmall.fontSize,
    whiteSpace: 'nowrap',
  }),
  good: css({ color: theme.colors.success.text }),
  bad: css({ color: theme.colors.error.text }),
  going: css({ color: theme.colors.info.text }),
  calm: css({ color: theme.colors.text.secondary }),
});
