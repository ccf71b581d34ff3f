/**
 * The three votes over time, for a state timeline: one frame a series, from when it was first told until it ended.
 */
import { createDataFrame, DataFrame } from '@grafana/data';
import { Prediction, VoterName } from '../../hub/types';
import { text, time, VERDICT } from './fields';
import { verdictOf } from './predictions';

const VOTERS: VoterName[] = ['trend', 'correlation', 'pattern'];

/** @param now Unix seconds: what is active lasts until now. */
export function votesFrames(refId: string, rows: Prediction[], now: number): DataFrame[] {
  const groups = new Map<string, Prediction[]>();
  for (const row of rows) {
    const name = `${row.host} ${row.series}`;
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  return [...groups].map(([name, group]) => votesFrame(refId, name, group, now));
}

function votesFrame(refId: string, name: string, group: Prediction[], now: number): DataFrame {
  const ordered = [...group].sort((a, b) => a.first_at - b.first_at);
  // each prediction is two rows: its votes from its beginning, none from its end
  const times = ordered.flatMap((row) => [row.first_at, row.ended_at ?? now]);
  const fields = VOTERS.map((voter) => {
    const values = ordered.flatMap((row) => [verdictOf(row, voter), null]);
    return text(voter, values, { ...VERDICT, displayName: `${ordered[0]?.series ?? name}: ${voter}` });
  });
  return createDataFrame({ refId, name, fields: [time('time', times), ...fields] });
}
