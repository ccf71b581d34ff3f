/**
 * Where a run stands, from asked for to ended.
 */
import React from 'react';
import { css, cx } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Icon, Spinner, useStyles2 } from '@grafana/ui';
import { isOpen, Run, RunState } from '../../hub/sandbox';

const STAGES: Array<{ state: RunState; word: string }> = [
  { state: 'queued', word: 'queued' },
  { state: 'claimed', word: 'a runner has it' },
  { state: 'running', word: 'running on the copy' },
  { state: 'done', word: 'done' },
];

export function Progress({ run }: { run: Run }) {
  const styles = useStyles2(getStyles);
  const ended = !isOpen(run);
  const at = ended ? STAGES.length : STAGES.findIndex(({ state }) => state === run.state);
  const last = ended && run.state !== 'done' ? run.state : 'done';
  return (
    <ol className={styles.stages} aria-label="Progress" aria-live="polite">
      {STAGES.map(({ state, word }, i) => {
        const isNow = i === at;
        const isFailed = ended && state === 'done' && last !== 'done';
        return (
          <li key={state} aria-current={isNow ? 'step' : undefined} className={cx(i > at && styles.later)}>
            {isNow ? (
              <Spinner inline size="sm" />
            ) : (
              <Icon name={isFailed ? 'times' : i < at ? 'check' : 'circle'} aria-hidden />
            )}
            {isFailed ? last : word}
          </li>
        );
      })}
    </ol>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  stages: css({
    display: 'flex',
    flexWrap: 'wrap',
    gap: theme.spacing(0.5, 2),
    listStyle: 'none',
    padding: 0,
    margin: theme.spacing(0, 0, 2),
    li: { display: 'flex', alignItems: 'center', gap: theme.spacing(0.5) },
  }),
  later: css({ color: theme.colors.text.disabled }),
});
