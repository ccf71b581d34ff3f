/**
 * The panel "Arki predictions": what will fail, when, why, and a fix tried on a copy.
 */
import React, { useCallback, useMemo, useState } from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2, PanelProps } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { Prediction } from '../hub/types';
import { Banner } from './Banner';
import { hubOf, viewer } from './hub';
import { Notice } from './Notice';
import { counts, Filter, filtered } from './rows';
import { Columns } from './row/PredictionRow';
import { Table } from './Table';
import { Toolbar } from './Toolbar';
import { TrialDrawer } from './trial/TrialDrawer';
import { useRuns } from './trial/useRuns';
import { DEFAULT_OPTIONS, PanelOptions } from './types';
import { useKept } from './useKept';

/** Fewer rows need no filter. */
const FILTER_FROM = 8;
/** Widths below which a column goes, in pixels: the evidence has it still. */
const CONE_FROM = 760;
const VOTES_FROM = 560;

/** A prediction whose trial is looked at, of what was asked then: another hub has no such prediction. */
interface Tried {
  question: string;
  prediction: Prediction;
}

export function PredictionsPanel({ data, width, height, options, timeZone }: PanelProps<PanelOptions>) {
  const styles = useStyles2(getStyles);
  const { pageSize, showCone, allowTrials, staleSeconds } = { ...DEFAULT_OPTIONS, ...options };
  const { rows, at, problem, isLoading, isForeign, question } = useKept(data);
  const [filter, setFilter] = useState<Filter>({ text: '' });
  const [tried, setTried] = useState<Tried>();
  const onTry = useCallback((prediction: Prediction) => setTried({ question, prediction }), [question]);
  const { request } = data;
  const hub = useMemo(() => hubOf({ ...data, request }), [request]); // eslint-disable-line react-hooks/exhaustive-deps
  const runs = useRuns(allowTrials ? hub : undefined, question, data.series, rows);
  const { name, isEditor } = viewer();
  const canTry = allowTrials && isEditor && hub !== undefined;
  const hasTrials = canTry || runs.of.size > 0;
  const columns = useMemo<Columns>(
    () => ({ cone: showCone && width >= CONE_FROM, votes: width >= VOTES_FROM, trial: hasTrials }),
    [showCone, width, hasTrials]
  );

  if (rows === undefined) {
    return <div style={{ width, height }}>{nothing(isLoading, problem, isForeign)}</div>;
  }
  const shown = filtered(rows, filter);
  return (
    <div className={styles.panel} style={{ width, height }} aria-busy={isLoading}>
      <Banner at={at} problem={problem} staleSeconds={staleSeconds} />
      {runs.problem !== undefined && problem === undefined && (
        <p role="alert" className={styles.problem}>
          {`The trials cannot be read: ${runs.problem}`}
        </p>
      )}
      <p role="status" className={styles.unseen}>
        {summary(rows)}
      </p>
      {rows.length >= FILTER_FROM && <Toolbar rows={rows} filter={filter} onChange={setFilter} />}
      <div className={styles.scroll} tabIndex={0} role="region" aria-label="Predictions, most urgent first">
        {rows.length === 0 && (
          <Notice icon="check-circle" title="Nothing is predicted to fail">
            Every voter of every host is asked every 30 seconds.
          </Notice>
        )}
        {rows.length > 0 && shown.length === 0 && <Notice icon="search" title="No prediction matches the filter" />}
        {shown.length > 0 && (
          <Table
            rows={shown}
            columns={columns}
            pageSize={pageSize}
            runs={runs.of}
            canTry={canTry}
            hub={hub}
            timeZone={timeZone}
            onTry={onTry}
          />
        )}
      </div>
      {tried?.question === question && hub !== undefined && (
        <TrialDrawer
          hub={hub}
          prediction={tried.prediction}
          runs={runs.of.get(tried.prediction.id)}
          user={name}
          canTry={canTry}
          onRun={runs.put}
          onClose={() => setTried(undefined)}
        />
      )}
    </div>
  );
}

function nothing(isLoading: boolean, problem: string | undefined, isForeign: boolean) {
  if (isLoading) {
    return <Notice icon="spinner" title="Asking the hub" />;
  }
  if (isForeign) {
    return (
      <Notice icon="database" title="No predictions in these data">
        Choose an Arki data source below, and &quot;Predictions&quot; as what it shows.
      </Notice>
    );
  }
  return (
    <Notice icon="exclamation-triangle" title="The predictions cannot be shown">
      {problem}
    </Notice>
  );
}

/** For a screen reader, when it changes. */
function summary(rows: Prediction[]): string {
  const { critical, warning } = counts(rows);
  const nouns = [rows.length === 1 ? 'prediction' : 'predictions', warning === 1 ? 'warning' : 'warnings'];
  return rows.length === 0 ? '' : `${rows.length} ${nouns[0]}, ${critical} critical, ${warning} ${nouns[1]}`;
}

const getStyles = (theme: GrafanaTheme2) => ({
  problem: css({ margin: 0, padding: theme.spacing(0.5, 1), color: theme.colors.warning.text }),
  panel: css({ display: 'flex', flexDirection: 'column', overflow: 'hidden' }),
  scroll: css({ flex: 1, overflow: 'auto', minHeight: 0 }),
  unseen: css({
    position: 'absolute',
    width: 1,
    height: 1,
    margin: -1,
    overflow: 'hidden',
    clip: 'rect(0 0 0 0)',
    whiteSpace: 'nowrap',
  }),
});
