/**
 * The time left of a prediction at a given moment, in words.
 */
import { Prediction } from '../hub/types';
import { coarse, span, spoken } from './duration';

export interface Remaining {
  /** `5h 40m`, or what stands where there is no time. */
  text: string;
  /** `4h 10m to 8h`: one case in ten fails earlier, one in ten later. */
  interval: string;
  /** One sentence for a screen reader. */
  label: string;
  /** The latest time that was said has passed. */
  isOverdue: boolean;
}

type Timed = Pick<Prediction, 'raised_at' | 'eta_seconds' | 'eta_low' | 'eta_high'>;

/** What is left of `prediction` at `now` (Unix seconds). */
export function remaining(prediction: Timed, now: number): Remaining {
  const { raised_at, eta_seconds, eta_low, eta_high } = prediction;
  if (eta_seconds === null) {
    return { text: 'no bound', interval: '', label: 'unusual, without a time to failure', isOverdue: false };
  }
  const left = raised_at + eta_seconds - now;
  const [low, high] = [raised_at + (eta_low ?? eta_seconds) - now, raised_at + (eta_high ?? eta_seconds) - now];
  if (high <= 0) {
    return {
      text: `${span(-left)} over`,
      interval: 'past its latest time',
      label: `expected ${spoken(-left)} ago, past its latest time`,
      isOverdue: true,
    };
  }
  const interval = `${low <= 0 ? 'now' : coarse(low)} to ${coarse(high)}`;
  if (left <= 0) {
    return {
      text: 'any moment',
      interval,
      label: `may fail any moment, within ${spoken(high)} in nine cases of ten`,
      isOverdue: false,
    };
  }
  const earliest = low <= 0 ? 'now' : spoken(low);
  const label = `fails in ${spoken(left)}, in eight cases of ten between ${earliest} and ${spoken(high)}`;
  return { text: span(left), interval, label, isOverdue: false };
}
