/**
 * Every command of the trial with its exit code, time and output.
 */
import React from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { Step } from '../../hub/sandbox';
import { Command } from './parts';

export function Steps({ steps }: { steps: Step[] }) {
  const styles = useStyles2(getStyles);
  return (
    <div className={styles.steps}>
      {steps.map((step, i) => (
        <details key={i} open={step.phase === 'action'}>
          <summary>
            {step.phase}: {step.argv[0]} {ending(step)}, {(step.duration_ms / 1000).toFixed(2)} s
          </summary>
          <Command argv={step.argv} />
          {step.output !== '' && (
            <pre>
              {step.output}
              {step.truncated && '\n(cut here)'}
            </pre>
          )}
        </details>
      ))}
    </div>
  );
}

function ending({ exit_code }: Step): string {
  return exit_code === null ? 'goes on' : `ended with ${exit_code}`;
}

const getStyles = (theme: GrafanaTheme2) => ({
  steps: css({
    marginBottom: theme.spacing(2),
    summary: { cursor: 'pointer', padding: theme.spacing(0.5, 0) },
    pre: { maxHeight: 240, overflow: 'auto', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' },
  }),
});
