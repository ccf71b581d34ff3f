/**
 * One clock for all countdowns of a page: a single interval while anybody listens. A component that reads a text derived from
 * it renders again only when that text changes, so a page of 500 countdowns in hours changes once a minute each.
 */
import { useCallback, useSyncExternalStore } from 'react';

const TICK_MS = 1000;

export class Ticker {
  private readonly listeners = new Set<() => void>();
  private timer?: ReturnType<typeof setInterval>;

  constructor(private readonly clock: () => number = () => Date.now()) {}

  /** Unix seconds. */
  readonly now = (): number => Math.floor(this.clock() / 1000);

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    this.timer ??= setInterval(() => this.listeners.forEach((tell) => tell()), TICK_MS);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) {
        clearInterval(this.timer);
        this.timer = undefined;
      }
    };
  };
}

export const ticker = new Ticker();

/** What `derive` makes of the time; it must return the same primitive while nothing changes. */
export function useNow<T extends string | number | boolean>(derive: (now: number) => T): T {
  const snapshot = useCallback(() => derive(ticker.now()), [derive]);
  return useSyncExternalStore(ticker.subscribe, snapshot);
}
