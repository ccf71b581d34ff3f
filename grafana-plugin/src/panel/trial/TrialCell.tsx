/**
 * The last trial of a prediction, and the button for a new one.
 */
import React from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Button, useStyles2 } from '@grafana/ui';
import { isOpen, Run } from '../../hub/sandbox';
import { Prediction } from '../../hub/types';
import { RunTag } from './RunTag';

interface Props {
  prediction: Prediction;
  run: Run | undefined;
  canTry: boolean;
  onTry: (prediction: Prediction) => void;
}

export function TrialCell({ prediction, run, canTry, onTry }: Props) {
  const styles = useStyles2(getStyles);
  const about = `${prediction.host} ${prediction.series}`;
  return (
    <div className={styles.cell}>
      {run !== undefined && <RunTag run={run} />}
      {run !== undefined && (
        <Button
          size="sm"
          variant="secondary"
          fill="text"
          aria-label={`Trial: ${about}`}
          onClick={() => onTry(prediction)}
        >
          {isOpen(run) ? 'Watch' : 'Result'}
        </Button>
      )}
      {run === undefined && canTry && prediction.state === 'active' && (
        <Button
          size="sm"
          variant="secondary"
          icon="play"
          aria-label={`Try a fix: ${about}`}
          onClick={() => onTry(prediction)}
        >
          Try a fix
        </Button>
      )}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  cell: css({ display: 'flex', alignItems: 'center', justifyContent: 'flex-end', gap: theme.spacing(0.5) }),
});
