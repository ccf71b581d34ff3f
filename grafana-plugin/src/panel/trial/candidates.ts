/**
 * What can be tried for a prediction: the actions that name its series as a candidate first, then all others.
 */
import { Action, Service } from '../../hub/sandbox';
import { Prediction } from '../../hub/types';
import { matches } from '../../text/glob';

export interface Candidate {
  service: Service;
  action: Action;
  /** The profile names it as a possible answer to this series. */
  isSuggested: boolean;
}

export function candidates(services: Service[], prediction: Pick<Prediction, 'series' | 'also'>): Candidate[] {
  const series = [prediction.series, ...(prediction.also ?? [])];
  const all = services.flatMap((service) =>
    service.actions.map((action) => ({
      service,
      action,
      isSuggested: action.candidate_for.length > 0 && series.some((name) => matches(action.candidate_for, name)),
    }))
  );
  return [...all.filter((one) => one.isSuggested), ...all.filter((one) => !one.isSuggested)];
}

/** Names a candidate among the others. */
export function keyOf({ service, action }: Candidate): string {
  return `${service.name}/${action.name}`;
}
