/**
 * One prediction: a row, and below it the evidence when it is asked for. Rendered again only when the prediction itself
 * changes; what ticks in it ticks by itself.
 */
import React, { memo } from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { IconButton, useStyles2 } from '@grafana/ui';
import { HubClient } from '../../hub/client';
import { Run } from '../../hub/sandbox';
import { Prediction } from '../../hub/types';
import { TrialCell } from '../trial/TrialCell';
import { ConeChart } from './ConeChart';
import { Countdown } from './Countdown';
import { Evidence } from './Evidence';
import { SeverityTag } from './SeverityTag';
import { Subject } from './Subject';
import { Votes } from './Votes';

/** What the width of the panel leaves room for. */
export interface Columns {
  cone: boolean;
  votes: boolean;
  trial: boolean;
}

interface Props {
  prediction: Prediction;
  columns: Columns;
  isOpen: boolean;
  run: Run | undefined;
  canTry: boolean;
  hub: HubClient | undefined;
  timeZone: string;
  onToggle: (id: string) => void;
  onTry: (prediction: Prediction) => void;
}

export const PredictionRow = memo(function PredictionRow(props: Props) {
  const { prediction, columns, isOpen, run, canTry, hub, timeZone, onToggle, onTry } = props;
  const styles = useStyles2(getStyles);
  const { id, host, series, severity } = prediction;
  const evidence = `arki-evidence-${id}`;
  const span = 3 + Number(columns.cone) + Number(columns.votes) + Number(columns.trial);
  return (
    <>
      <tr className={styles.row}>
        <td className={styles.severity}>
          <IconButton
            name={isOpen ? 'angle-down' : 'angle-right'}
            aria-expanded={isOpen}
            aria-controls={isOpen ? evidence : undefined}
            aria-label={`Evidence: ${host} ${series}`}
            onClick={() => onToggle(id)}
          />
          <SeverityTag severity={severity} />
        </td>
        <th scope="row" className={styles.subject}>
          <Subject prediction={prediction} />
        </th>
        <td>
          <Countdown prediction={prediction} />
        </td>
        {columns.cone && (
          <td>
            <ConeChart prediction={prediction} width={120} height={40} />
          </td>
        )}
        {columns.votes && (
          <td>
            <Votes votes={prediction.votes} />
          </td>
        )}
        {columns.trial && (
          <td className={styles.trial}>
            <TrialCell prediction={prediction} run={run} canTry={canTry} onTry={onTry} />
          </td>
        )}
      </tr>
      {isOpen && (
        <tr id={evidence} className={styles.open}>
          <td colSpan={span}>
            <Evidence prediction={prediction} hub={hub} timeZone={timeZone} />
            {!columns.votes && <Votes votes={prediction.votes} />}
          </td>
        </tr>
      )}
    </>
  );
});

const getStyles = (theme: GrafanaTheme2) => ({
  row: css({
    borderTop: `1px solid ${theme.colors.border.weak}`,
    '&:hover': { background: theme.colors.action.hover },
    'td, th': { padding: theme.spacing(0.5, 1), verticalAlign: 'middle', textAlign: 'left' },
  }),
  open: css({ background: theme.colors.background.secondary }),
  severity: css({
    whiteSpace: 'nowrap',
    width: 1,
    button: { verticalAlign: 'middle' },
    '> span': { verticalAlign: 'middle' },
  }),
  subject: css({ width: '40%', maxWidth: 0, fontWeight: 'normal' }),
  trial: css({ width: 1, whiteSpace: 'nowrap' }),
});
