/**
 * The newest run of each prediction, read again whenever the panel's data are.
 */
import { useCallback, useEffect, useState } from 'react';
import { HubClient } from '../../hub/client';
import { Run } from '../../hub/sandbox';
import { Page } from '../../hub/types';

/** More than can be on one page of the panel. */
const RUNS_MAX = 500;

export interface Runs {
  /** By the prediction's identifier. */
  of: Map<string, Run>;
  /** Takes in what is known to be newer. */
  put: (run: Run) => void;
}

const NONE = new Map<string, Run>();

/** @param turn changes when the panel's data do */
export function useRuns(hub: HubClient | undefined, turn: unknown): Runs {
  const [of, setOf] = useState(NONE);
  useEffect(() => {
    let isCurrent = true;
    hub?.get<Page<Run>>('v1/sandbox/runs', { limit: RUNS_MAX }).then(
      ({ items }) => isCurrent && setOf(newest(items)),
      // a hub without a sandbox, or a key that may not see it: there are no runs to show
      () => isCurrent && setOf(NONE)
    );
    return () => {
      isCurrent = false;
    };
  }, [hub, turn]);
  const put = useCallback((run: Run) => {
    setOf((all) => (run.prediction === null ? all : new Map(all).set(run.prediction, run)));
  }, []);
  return { of, put };
}

/** @param runs newest first */
function newest(runs: Run[]): Map<string, Run> {
  const of = new Map<string, Run>();
  for (const run of runs) {
    if (run.prediction !== null && !of.has(run.prediction)) {
      of.set(run.prediction, run);
    }
  }
  return of;
}
