/**
 * The runs of each prediction, ranked, read again whenever the panel's data are.
 */
import { useCallback, useEffect, useState } from 'react';
import { HubClient } from '../../hub/client';
import { ranked, Run } from '../../hub/sandbox';
import { Page } from '../../hub/types';

/** More than can be on one page of the panel. */
const RUNS_MAX = 500;

export interface Runs {
  /** By the prediction's identifier; the one to show comes first. */
  of: Map<string, Run[]>;
  /** Takes in what is known to be newer. */
  put: (run: Run) => void;
}

const NONE = new Map<string, Run[]>();

/** @param turn changes when the panel's data do */
export function useRuns(hub: HubClient | undefined, turn: unknown): Runs {
  const [of, setOf] = useState(NONE);
  useEffect(() => {
    let isCurrent = true;
    hub?.get<Page<Run>>('v1/sandbox/runs', { limit: RUNS_MAX }).then(
      ({ items }) => isCurrent && setOf(byPrediction(items)),
      // a hub without a sandbox, or a key that may not see it: there are no runs to show
      () => isCurrent && setOf(NONE)
    );
    return () => {
      isCurrent = false;
    };
  }, [hub, turn]);
  const put = useCallback((run: Run) => {
    const { id, prediction } = run;
    if (prediction !== null) {
      setOf((all) => {
        const others = (all.get(prediction) ?? []).filter((other) => other.id !== id);
        return new Map(all).set(prediction, ranked([run, ...others]));
      });
    }
  }, []);
  return { of, put };
}

function byPrediction(runs: Run[]): Map<string, Run[]> {
  const of = new Map<string, Run[]>();
  for (const run of runs) {
    if (run.prediction !== null) {
      of.set(run.prediction, [...(of.get(run.prediction) ?? []), run]);
    }
  }
  return new Map([...of].map(([prediction, all]) => [prediction, ranked(all)]));
}
