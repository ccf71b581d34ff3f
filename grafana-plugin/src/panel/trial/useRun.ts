/**
 * One run, asked for until it has ended.
 */
import { useEffect, useState } from 'react';
import { HubClient } from '../../hub/client';
import { problemOf } from '../../hub/problem';
import { isOpen, Run, sandbox } from '../../hub/sandbox';

/** A trial takes a second or two: who waits for it sees each step. */
const POLL_MS = 1000;
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
          timer = isOpen(found) ? setTimeout(ask, POLL_MS, id) : undefined;
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
  }, [hub, id, onRun]);
  const isSame = run !== undefined && run.id === id;
  // a decision comes with the list before the run is asked for again
  const current = isSame ? { ...run, decision: listed?.decision ?? run.decision } : listed;
  return { run: current, problem };
}
