/**
 * The trials of one prediction beside each other, ranked: which one is shown is chosen here.
 */
import React from 'react';
import { css, cx } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { Run } from '../../hub/sandbox';
import { RunTag } from './RunTag';

interface Props {
  /** The best first. */
  runs: Run[];
  /** The identifier of the one that is shown. */
  shown: string;
  onShow: (id: string) => void;
}

export function Others({ runs, shown, onShow }: Props) {
  const styles = useStyles2(getStyles);
  return (
    <ol aria-label="Trials of this prediction, the best first" className={styles.list}>
      {runs.map((run) => (
        <li key={run.id}>
          <button
            type="button"
            aria-current={run.id === shown}
            className={cx(styles.run, run.id === shown && styles.shown)}
            onClick={() => onShow(run.id)}
          >
            <span>
              {run.service}: {run.action}
            </span>
            <RunTag run={run} />
            {run.fidelity !== null && <span className={styles.fidelity}>{run.fidelity}</span>}
          </button>
        </li>
      ))}
    </ol>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({ listStyle: 'none', margin: theme.spacing(0, 0, 2) }),
  run: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    gap: theme.spacing(0.5, 1),
    width: '100%',
    padding: theme.spacing(0.5, 1),
    border: 'none',
    borderLeft: `2px solid ${theme.colors.border.weak}`,
    background: 'none',
    textAlign: 'left',
    '&:hover': { background: theme.colors.action.hover },
  }),
  shown: css({ borderLeftColor: theme.colors.primary.border, background: theme.colors.action.selected }),
  fidelity: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
});
