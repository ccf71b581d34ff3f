/**
 * What the panel shows: the newest rows that came, kept while the same question, asked later, fails or is still under way. Rows
 * of another question (another host or data source was chosen) are not shown: their button would ask the wrong hub.
 */
import { useMemo, useState } from 'react';
import { DataFrame, LoadingState, PanelData } from '@grafana/data';
import { getTemplateSrv } from '@grafana/runtime';
import { Prediction } from '../hub/types';
import { predictionsOf } from './rows';

export interface Kept {
  /** Nothing until an answer came. */
  rows?: Prediction[];
  /** When they came, Unix seconds. */
  at: number;
  /** Why the last question failed. */
  problem?: string;
  isLoading: boolean;
  /** An answer came, but it carries no predictions. */
  isForeign: boolean;
  /** What was asked of which data source, with its variables replaced. */
  question: string;
}

interface Memory {
  question: string;
  series: DataFrame[];
  /** Nothing where the answer carries no predictions. */
  rows?: Prediction[];
  at: number;
}

export function useKept(data: PanelData): Kept {
  const [memory, setMemory] = useState<Memory>();
  const { request, state } = data;
  // once a request: by the time of the next one the variables may have other values
  const question = useMemo(
    () => getTemplateSrv().replace(JSON.stringify(request?.targets ?? []), request?.scopedVars),
    [request]
  );
  const isLoading = state === LoadingState.Loading || state === LoadingState.NotStarted;
  const isFailed = state === LoadingState.Error;
  let current = memory?.question === question ? memory : undefined;
  // while it loads Grafana hands out what came of the question before
  if (!isFailed && !isLoading && (current === undefined || data.series !== current.series)) {
    const at = Math.floor((request?.endTime ?? request?.startTime ?? 0) / 1000);
    current = { question, series: data.series, rows: predictionsOf(data.series), at };
    setMemory(current);
  }
  const problem = data.errors?.[0]?.message ?? data.error?.message ?? (isFailed ? 'The query failed.' : undefined);
  return {
    rows: current?.rows,
    at: current?.at ?? 0,
    problem,
    isLoading,
    isForeign: !isLoading && problem === undefined && current?.rows === undefined,
    question,
  };
}
