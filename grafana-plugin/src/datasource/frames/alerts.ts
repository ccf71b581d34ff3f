/**
 * Alerts: who was told what, and what was quieted and why; as a table, or counted over time.
 */
import { createDataFrame, DataFrame } from '@grafana/data';
import { Alert } from '../../hub/types';
import { columns, number, SEVERITY, time } from './fields';

export function alertsFrame(refId: string, rows: Alert[]): DataFrame {
  const of = columns(rows);
  return createDataFrame({
    refId,
    name: 'alerts',
    fields: [
      of.time('time', (row) => row.time),
      of.text('host', (row) => row.host),
      of.text('series', (row) => row.series),
      of.text('kind', (row) => row.kind),
      of.text('severity', (row) => row.severity, SEVERITY),
      of.text('state', (row) => row.state),
      of.text('reason', (row) => row.reason),
      of.number('hosts', (row) => row.hosts),
    ],
  });
}

/** How many were raised and how many quieted, in steps of `step` seconds from `from` to `to`. */
export function alertCountsFrame(refId: string, rows: Alert[], from: number, to: number, step: number): DataFrame {
  const first = Math.floor(from / step) * step;
  const times: number[] = [];
  for (let at = first; at <= to; at += step) {
    times.push(at);
  }
  const count = (isCounted: (row: Alert) => boolean) => {
    const counts = times.map(() => 0);
    for (const row of rows) {
      const place = Math.floor((row.time - first) / step);
      if (place >= 0 && place < counts.length && isCounted(row)) {
        counts[place] = (counts[place] ?? 0) + 1;
      }
    }
    return counts;
  };
  const field = (name: string, values: number[], color: string) =>
    number(name, values, {
      displayName: name,
      unit: 'short',
      decimals: 0,
      color: { mode: 'fixed', fixedColor: color },
    });
  return createDataFrame({
    refId,
    name: 'alerts',
    fields: [
      time('time', times),
      field(
        'raised',
        count((row) => row.state !== 'quieted'),
        'orange'
      ),
      field(
        'quieted',
        count((row) => row.state === 'quieted'),
        'blue'
      ),
    ],
  });
}
