/**
 * The fleet and its active predictions, read again every half minute while somebody looks.
 */
import { useEffect, useState } from 'react';
import { HubClient } from '../../hub/client';
import { problemOf } from '../../hub/problem';
import { Agent, Prediction } from '../../hub/types';

const EVERY_MS = 30_000;
/** Rows read at most; the dashboards page through more. */
const AGENTS_MAX = 5000;
const PREDICTIONS_MAX = 1000;

export interface FleetState {
  agents?: Agent[];
  predictions: Prediction[];
  problem?: string;
}

export function useFleet(hub: HubClient | undefined): FleetState {
  const [state, setState] = useState<FleetState>({ predictions: [] });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isCurrent = hub !== undefined;
    const ask = async (hub: HubClient) => {
      try {
        const [agents, predictions] = await Promise.all([
          hub.list<Agent>('v1/agents', {}, AGENTS_MAX),
          hub.list<Prediction>('v1/predictions', { state: 'active' }, PREDICTIONS_MAX),
        ]);
        if (isCurrent) {
          setState({ agents: agents.items, predictions: predictions.items });
        }
      } catch (error) {
        if (isCurrent) {
          // what was known stays, with the reason why it is old
          setState((known) => ({ ...known, problem: problemOf(error).message }));
        }
      }
      if (isCurrent) {
        timer = setTimeout(ask, EVERY_MS, hub);
      }
    };
    if (hub !== undefined) {
      void ask(hub);
    }
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [hub]);
  return state;
}
