/**
 * The agents of the hub, read once for all queries of a dashboard that run at the same time.
 */
import { HubClient } from '../hub/client';
import { Agent } from '../hub/types';

/** How long an answer is used again, in milliseconds: a dashboard's queries come within a second. */
const FRESH_MS = 10_000;
/** Agents read at most. */
const AGENTS_MAX = 20_000;

export class Fleet {
  private read?: { at: number; agents: Promise<Agent[]> };

  constructor(
    private readonly hub: HubClient,
    private readonly now: () => number = Date.now
  ) {}

  agents(): Promise<Agent[]> {
    if (this.read === undefined || this.now() - this.read.at > FRESH_MS) {
      const agents = this.hub.list<Agent>('v1/agents', {}, AGENTS_MAX).then((rows) => rows.items);
      const read = { at: this.now(), agents };
      this.read = read;
      agents.catch(() => {
        // a failure is not kept
        if (this.read === read) {
          this.read = undefined;
        }
      });
    }
    return this.read.agents;
  }
}
