import { CoreApp, DataQueryRequest, dateTime } from '@grafana/data';

const BACK_MS = 24 * 3600 * 1000;

/** A dashboard's question about the last day. */
export function request(targets: object[]): DataQueryRequest {
  const [from, to] = [dateTime(Date.now() - BACK_MS), dateTime()];
  const datasource = { type: 'arki-datasource', uid: 'arki' };
  return {
    app: CoreApp.Dashboard,
    requestId: 'Q1',
    interval: '1m',
    intervalMs: 60_000,
    maxDataPoints: 800,
    range: { from, to, raw: { from: 'now-24h', to: 'now' } },
    scopedVars: {},
    startTime: Date.now(),
    timezone: 'utc',
    targets: targets.map((target, i) => ({ refId: String.fromCharCode(65 + i), datasource, ...target })),
  };
}
