/**
 * Says above the rows that they are old: the hub does not answer, or nobody asked for a while.
 */
import React, { useCallback } from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Icon, useStyles2 } from '@grafana/ui';
import { roughly } from '../text/duration';
import { useNow } from './ticker';

interface Props {
  /** When the rows came, Unix seconds. */
  at: number;
  problem: string | undefined;
  staleSeconds: number;
}

/** The age is said roughly, so that it does not tick. */
const STEP_S = 30;

export function Banner({ at, problem, staleSeconds }: Props) {
  const styles = useStyles2(getStyles);
  const age = useNow(useCallback((now: number) => Math.floor(Math.max(0, now - at) / STEP_S) * STEP_S, [at]));
  if (problem === undefined && age < staleSeconds) {
    return null;
  }
  const old = age < STEP_S ? 'moments' : roughly(age);
  return (
    <div role="alert" className={styles.banner}>
      <Icon name="exclamation-triangle" aria-hidden />
      <span>
        {problem === undefined
          ? `These data are ${old} old. Set the dashboard to refresh, or refresh it.`
          : `${problem} Shown is what it said ${old} ago.`}
      </span>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  banner: css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(1),
    padding: theme.spacing(0.5, 1),
    color: theme.colors.warning.text,
    background: theme.colors.warning.transparent,
    borderBottom: `1px solid ${theme.colors.warning.border}`,
  }),
});
