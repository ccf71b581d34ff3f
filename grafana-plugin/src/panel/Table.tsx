/**
 * One page of predictions as a table. Pages, not endless rows: 500 predictions stay a page of rows to the browser.
 */
import React, { useCallback, useState } from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Pagination, useStyles2 } from '@grafana/ui';
import { HubClient } from '../hub/client';
import { Run } from '../hub/sandbox';
import { Prediction } from '../hub/types';
import { Columns, PredictionRow } from './row/PredictionRow';

interface Props {
  rows: Prediction[];
  columns: Columns;
  pageSize: number;
  runs: Map<string, Run[]>;
  canTry: boolean;
  hub: HubClient | undefined;
  timeZone: string;
  onTry: (prediction: Prediction) => void;
}

export function Table({ rows, columns, pageSize, runs, onTry, ...shared }: Props) {
  const styles = useStyles2(getStyles);
  const [wantedPage, setPage] = useState(1);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const onToggle = useCallback((id: string) => {
    setOpen((all) => {
      const changed = new Set(all);
      if (!changed.delete(id)) {
        changed.add(id);
      }
      return changed;
    });
  }, []);
  const pages = Math.max(1, Math.ceil(rows.length / pageSize));
  const page = Math.min(wantedPage, pages);
  const shown = rows.slice((page - 1) * pageSize, page * pageSize);
  return (
    <>
      <table className={styles.table} aria-label="Predictions">
        <thead>
          <tr>
            <th scope="col">Severity</th>
            <th scope="col">Host and series</th>
            <th scope="col">Fails in</th>
            {columns.cone && <th scope="col">Forecast</th>}
            {columns.votes && <th scope="col">Votes</th>}
            {columns.trial && (
              <th scope="col" className={styles.last}>
                Sandbox
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {shown.map((prediction) => (
            <PredictionRow
              key={prediction.id}
              prediction={prediction}
              columns={columns}
              isOpen={open.has(prediction.id)}
              run={runs.get(prediction.id)?.[0]}
              onToggle={onToggle}
              onTry={onTry}
              {...shared}
            />
          ))}
        </tbody>
      </table>
      {pages > 1 && (
        <div className={styles.pages}>
          <span>
            {(page - 1) * pageSize + 1} to {(page - 1) * pageSize + shown.length} of {rows.length}, most urgent first
          </span>
          <Pagination currentPage={page} numberOfPages={pages} onNavigate={setPage} />
        </div>
      )}
    </>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  table: css({
    width: '100%',
    'thead th': {
      padding: theme.spacing(0.5, 1),
      textAlign: 'left',
      fontSize: theme.typography.bodySmall.fontSize,
      fontWeight: theme.typography.fontWeightMedium,
      color: theme.colors.text.secondary,
      whiteSpace: 'nowrap',
    },
  }),
  last: css({ '&&': { textAlign: 'right' } }),
  pages: css({
    display: 'flex',
    flexWrap: 'wrap',
    justifyContent: 'space-between',
    alignItems: 'center',
    padding: theme.spacing(0.5, 1),
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
});
