/**
 * What the panel shows: the newest rows that came, kept while a later question fails or is still under way.
 */
import { useState } from 'react';
import { DataFrame, LoadingState, PanelData } from '@grafana/data';
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
}

interface Memory {
  series: DataFrame[];
  rows: Prediction[];
  at: number;
}

export function useKept(data: PanelData): Kept {
  const [memory, setMemory] = useState<Memory>();
  const isFailed = data.state === LoadingState.Error;
  const isLoading = data.state === LoadingState.Loading || data.state === LoadingState.NotStarted;
  let current = memory;
  if (!isFailed && data.series !== memory?.series) {
    const rows = predictionsOf(data.series);
    if (rows !== undefined) {
      const at = Math.floor((data.request?.endTime ?? data.request?.startTime ?? 0) / 1000);
      current = { series: data.series, rows, at };
      setMemory(current);
    }
  }
  const problem = data.errors?.[0]?.message ?? data.error?.message ?? (isFailed ? 'The query failed.' : undefined);
  return {
    rows: current?.rows,
    at: current?.at ?? 0,
    problem,
    isLoading,
    isForeign: current === undefined && !isLoading && problem === undefined,
  };
}
