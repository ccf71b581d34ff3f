/**
 * The runs of each prediction, ranked, read again whenever the panel's data are. What is known stays while the hub does not
 * answer, and what came meanwhile (a run that was just asked for) is not lost to a list that was asked for before it.
 */
import { useCallback, useEffect, useRef, useState } from 'react';
import { HubClient } from '../../hub/client';
import { problemOf } from '../../hub/problem';
import { ranked, Run } from '../../hub/sandbox';
import { Prediction } from '../../hub/types';

/** Runs read at most: five pages of the hub. */
const RUNS_MAX = 5000;
/** By how much the clock of a host, which says when a prediction began, may be ahead of the hub's. */
const CLOCKS_APART_S = 3600;

export interface Runs {
  /** By the prediction's identifier; the one to show comes first. */
  of: Map<string, Run[]>;
  /** Takes in what is known to be newer. */
  put: (run: Run) => void;
  /** Why they could not be read; `of` is what was known before. */
  problem?: string;
}

interface Known {
  question: string;
  of: Map<string, Run[]>;
  problem?: string;
}

/** A run that did not come with a list, and after how many lists it came. */
interface Put {
  run: Run;
  after: number;
}

/**
 * @param question what the panel asks of which data source; another one has other runs
 * @param turn changes when the panel's data do
 * @param predictions whose runs are wanted
 */
export function useRuns(
  hub: HubClient | undefined,
  question: string,
  turn: unknown,
  predictions: Prediction[] | undefined
): Runs {
  const [known, setKnown] = useState<Known>({ question, of: new Map() });
  const puts = useRef({ question, lists: 0, of: new Map<string, Put>() });
  const earliest = (predictions ?? []).reduce((least, { first_at }) => Math.min(least, first_at), Infinity);
  const since = earliest - CLOCKS_APART_S;
  useEffect(() => {
    let isCurrent = true;
    if (puts.current.question !== question) {
      puts.current = { question, lists: 0, of: new Map() };
    }
    const mine = puts.current;
    const list = (mine.lists += 1);
    // the newest come first: what is older than every prediction is about none of them
    const isPast = (run: Run) => run.created_at < since;
    hub?.list<Run>('v1/sandbox/runs', {}, RUNS_MAX, isPast).then(
      ({ items }) => isCurrent && setKnown({ question, of: byPrediction(merged(items, mine.of, list)) }),
      (error) => isCurrent && setKnown((before) => failed(before, question, error))
    );
    return () => {
      isCurrent = false;
    };
  }, [hub, question, turn, since]);
  const put = useCallback(
    (run: Run) => {
      if (puts.current.question !== question) {
        return;
      }
      const { lists, of } = puts.current;
      of.set(run.id, { run, after: lists });
      setKnown((before) => {
        const all = before.question === question ? [...before.of.values()].flat() : [];
        return { ...before, question, of: byPrediction([run, ...all.filter((other) => other.id !== run.id)]) };
      });
    },
    [question]
  );
  const isMine = known.question === question && hub !== undefined;
  return isMine ? { of: known.of, problem: known.problem, put } : { of: NONE, put };
}

const NONE = new Map<string, Run[]>();

/** A hub without a sandbox, and a key that may not see it, have no runs to show; any other failure leaves what was known. */
function failed(before: Known, question: string, error: unknown): Known {
  const { kind, message } = problemOf(error);
  const of = before.question === question ? before.of : NONE;
  return kind === 'scope' || kind === 'missing' ? { question, of } : { question, of, problem: message };
}

/** The runs of list number `list`; those that were put after it was asked for are newer, and those it lacks are kept. */
function merged(listed: Run[], puts: Map<string, Put>, list: number): Run[] {
  const all = new Map([...puts].map(([id, { run }]) => [id, run]));
  for (const run of listed) {
    const known = puts.get(run.id);
    if (known === undefined || known.after < list) {
      all.set(run.id, run);
    }
  }
  return [...all.values()];
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
