/**
 * The fleet in four figures.
 */
import React, { ReactNode } from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { Agent, Prediction } from '../../hub/types';
import { Countdown } from '../../panel/row/Countdown';
import { byUrgency } from '../../text/sort';

interface Props {
  agents: Agent[];
  predictions: Prediction[];
}

export function Figures({ agents, predictions }: Props) {
  const styles = useStyles2(getStyles);
  const silent = agents.filter((agent) => agent.state === 'silent').length;
  const critical = predictions.filter((one) => one.severity === 'critical').length;
  const next = [...predictions].sort(byUrgency).find((one) => one.fails_at !== null);
  return (
    <dl className={styles.figures}>
      <Figure what="Servers" note={silent > 0 ? `${silent} silent` : 'all are heard'}>
        {agents.length}
      </Figure>
      <Figure what="Active predictions" note={critical > 0 ? `${critical} critical` : 'none critical'}>
        {predictions.length}
      </Figure>
      <Figure what="Next failure" note={next === undefined ? 'nothing has a time' : `${next.host} ${next.series}`}>
        {next === undefined ? '–' : <Countdown prediction={next} isLarge />}
      </Figure>
    </dl>
  );
}

function Figure({ what, note, children }: { what: string; note: string; children: ReactNode }) {
  const styles = useStyles2(getStyles);
  return (
    <div className={styles.figure}>
      <dt>{what}</dt>
      <dd>{children}</dd>
      <small>{note}</small>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  figures: css({
    display: 'grid',
    gridTemplateColumns: 'repeat(auto-fit, minmax(220px, 1fr))',
    gap: theme.spacing(2),
    margin: theme.spacing(0, 0, 3),
  }),
  figure: css({
    padding: theme.spacing(2),
    background: theme.colors.background.secondary,
    borderRadius: theme.shape.radius.default,
    dt: { color: theme.colors.text.secondary, fontWeight: 'normal' },
    dd: { fontSize: theme.typography.h2.fontSize, margin: 0, fontVariantNumeric: 'tabular-nums' },
    small: { color: theme.colors.text.secondary, overflowWrap: 'anywhere' },
  }),
});
