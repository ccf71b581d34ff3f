/**
 * A forecast cone as SVG: small in a row, larger with the past in the evidence.
 */
import React, { useCallback } from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { Prediction } from '../../hub/types';
import { figure } from '../../text/figure';
import { useNow } from '../ticker';
import { cone, path, Past } from './cone';

interface Props {
  prediction: Prediction;
  width: number;
  height: number;
  past?: Past;
}

/** The picture moves by pixels, not by seconds. */
const STEP_S = 60;

export function ConeChart({ prediction, width, height, past }: Props) {
  const styles = useStyles2(getStyles);
  const now = useNow(useCallback((now: number) => Math.floor(now / STEP_S) * STEP_S, []));
  const shape = cone(prediction, now, { width, height, margin: 4 }, past);
  if (shape === undefined || prediction.bound === null) {
    return null;
  }
  const { start, earliest, median, latest, boundY, nowX } = shape;
  const { series, value, bound } = prediction;
  const label = `Forecast: from ${figure(series, value)} to the bound of ${figure(series, bound)}`;
  return (
    <svg role="img" aria-label={label} width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
      <line className={styles.bound} x1={0} x2={width} y1={boundY} y2={boundY} />
      <path className={styles.cone} d={`${path([start, earliest, latest])}Z`} />
      <path className={styles.median} d={path([start, median])} />
      {shape.past.length > 1 && <path className={styles.past} d={path(shape.past)} />}
      <circle className={styles.dot} cx={start.x} cy={start.y} r={2.5} />
      <line className={styles.now} x1={nowX} x2={nowX} y1={2} y2={height - 2} />
    </svg>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  bound: css({ stroke: theme.colors.error.border, strokeWidth: 1.5, strokeDasharray: '4 3' }),
  cone: css({ fill: theme.colors.warning.main, opacity: 0.28 }),
  median: css({ stroke: theme.colors.warning.text, strokeWidth: 1.5, fill: 'none' }),
  past: css({ stroke: theme.colors.primary.text, strokeWidth: 1.5, fill: 'none' }),
  dot: css({ fill: theme.colors.text.primary }),
  now: css({ stroke: theme.colors.text.disabled, strokeWidth: 1 }),
});
