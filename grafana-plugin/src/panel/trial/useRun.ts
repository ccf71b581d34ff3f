/**
 * One run, asked for until it has ended, and again while it is being applied.
 */
import { useEffect, useState } from 'react';
import { HubClient } from '../../hub/client';
import { problemOf } from '../../hub/problem';
import { isBeingApplied, isOpen, Run, sandbox } from '../../hub/sandbox';

/** A trial takes a second or two: who waits for it sees each step. */
const POLL_MS = 1000;
/** An agent comes for what it is to apply within seconds, or minutes. */
const APPLY_POLL_MS = 5000;
/** While the hub does not answer. */
const RETRY_MS = 5000;

export interface Watched {
  run: Run | undefined;
  problem: string | undefined;
}

/**
 * @param listed as it is known already, perhaps without its result
 * @param onRun is told whenever it has changed
 */
export function useRun(hub: HubClient, listed: Run | undefined, onRun: (run: Run) => void): Watched {
  const [run, setRun] = useState<Run>();
  const [problem, setProblem] = useState<string>();
  const id = listed?.id;
  const decidedAt = listed?.decision?.at;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isCurrent = id !== undefined;
    const ask = async (id: string) => {
      try {
        const found = await sandbox.run(hub, id);
        if (isCurrent) {
          setRun(found);
          setProblem(undefined);
          onRun(found);
          if (isOpen(found) || isBeingApplied(found)) {
            timer = setTimeout(ask, isOpen(found) ? POLL_MS : APPLY_POLL_MS, id);
          }
        }
      } catch (error) {
        if (isCurrent) {
          setProblem(problemOf(error).message);
          timer = setTimeout(ask, RETRY_MS, id);
        }
      }
    };
    if (id !== undefined) {
      void ask(id);
    }
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [hub, id, decidedAt, onRun]);
  const isSame = run !== undefined && run.id === id;
  // a decision comes with the list before the run is asked for again
  const current = isSame ? { ...run, decision: listed?.decision ?? run.decision } : listed;
  return { run: current, problem };
}
