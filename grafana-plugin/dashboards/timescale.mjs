/**
 * The dashboards over the hub's database itself, with Grafana's PostgreSQL data source: TimescaleDB or plain PostgreSQL. They
 * need no plugin but cannot start a trial.
 */
import {
  AGENT,
  bars,
  colours,
  dashboard,
  field,
  figures,
  hostLink,
  lines,
  queryVariable,
  SEVERITY,
  sourceVariable,
  stat,
  table,
  timeLeft,
  timeline,
} from './build.mjs';
import * as sql from './sql.mjs';

const SOURCE = 'grafana-postgresql-datasource';
const HOST = 'arki-sql-host';

const rows = (rawSql, format = 'table') => ({ rawSql, format, rawQuery: true, editorMode: 'code' });
const overTime = (rawSql) => rows(rawSql, 'time_series');
const OF_HOST = " AND a.host = '$host'";
const FILLS = (name) => `${name} LIKE '%used_percent%'`;
const CHOSEN = (name) => `${name} IN ($series)`;

const left = ['unit', 'dtdurations'];
const predictionTable = (title, width, where) =>
  table(SOURCE, title, width, rows(sql.predictions(where)), {
    overrides: [
      field('severity', ...SEVERITY),
      field('time to failure', left),
      field('host', hostLink(HOST)),
      ...['trend', 'correlation', 'pattern'].map((voter) =>
        field(voter, ...colours({ yes: 'orange', no: 'green', veto: 'blue' }))
      ),
    ],
  });

/** Bounds and forecasts are dashed and not filled. */
const cone = {
  fieldConfig: {
    defaults: { custom: { drawStyle: 'line', lineWidth: 1, fillOpacity: 10, showPoints: 'never', spanNulls: true } },
    overrides: [
      {
        matcher: { id: 'byRegexp', options: '/(bound|forecast|earliest \\(p10\\)|latest \\(p90\\))$/' },
        properties: [
          { id: 'custom.lineStyle', value: { fill: 'dash', dash: [6, 4] } },
          { id: 'custom.fillOpacity', value: 0 },
        ],
      },
      {
        matcher: { id: 'byRegexp', options: '/ bound$/' },
        properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: 'red' } }],
      },
      {
        matcher: { id: 'byRegexp', options: '/(forecast|earliest \\(p10\\)|latest \\(p90\\))$/' },
        properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: 'orange' } }],
      },
    ],
  },
};

const withForecast = (title, condition, more = {}) =>
  lines(
    SOURCE,
    title,
    24,
    [
      overTime(sql.series(condition('name'))),
      overTime(sql.bounds(condition('p.series'))),
      overTime(sql.forecasts(condition('p.series'))),
    ],
    { ...cone, ...more }
  );

const fleet = dashboard({
  uid: 'arki-sql-fleet',
  title: 'Arki: fleet (TimescaleDB)',
  description: 'What will fail next, where, and how good the predictions were, read from the database of the hub.',
  tags: ['arki-sql'],
  from: 'now-7d',
  variables: [sourceVariable(SOURCE)],
  panels: [
    {
      height: 4,
      panels: [
        stat(SOURCE, 'Servers', 4, rows(sql.servers), {}),
        stat(SOURCE, 'Silent', 4, rows(sql.silent), { color: 'red' }),
        stat(SOURCE, 'Active predictions', 4, rows(sql.activeCount), { color: 'orange' }),
        stat(SOURCE, 'Critical', 4, rows(sql.criticalCount), { color: 'red' }),
        stat(SOURCE, 'Time to the next failure', 8, rows(sql.nextFailure), { unit: 'dtdurations' }),
      ],
    },
    { height: 10, panels: [predictionTable('Predictions', 24)] },
    {
      height: 9,
      panels: [
        table(SOURCE, 'Hosts by risk', 14, rows(sql.risk), {
          overrides: [
            field('severity', ...SEVERITY),
            field('state', ...AGENT),
            field('host', hostLink(HOST)),
            field('last seen', ['unit', 'dateTimeFromNow']),
          ],
        }),
        timeLeft(SOURCE, 10, rows(sql.timeToFailure), {
          field: 'remaining',
          displayName: '${__data.fields.name}',
        }),
      ],
    },
    {
      height: 8,
      panels: [
        bars(SOURCE, 'Alarms raised against quieted', 14, [overTime(sql.alarms)], {
          raised: 'orange',
          quieted: 'blue',
        }),
        figures(SOURCE, 'Track record in this time', 10, rows(sql.record), {
          orientation: 'horizontal',
          overrides: [field('median lead', left)],
        }),
      ],
    },
    {
      height: 9,
      panels: [
        table(SOURCE, 'Told and quieted', 24, rows(sql.alerts()), {
          overrides: [field('severity', ...SEVERITY), field('host', hostLink(HOST))],
        }),
      ],
    },
  ],
});

const host = dashboard({
  uid: HOST,
  title: 'Arki: host (TimescaleDB)',
  description: 'One host: its series with bound and forecast, the votes over time, and which processes grew.',
  tags: ['arki-sql'],
  from: 'now-24h',
  to: 'now+6h',
  variables: [
    sourceVariable(SOURCE),
    queryVariable(SOURCE, 'host', 'Host', sql.hosts),
    queryVariable(SOURCE, 'series', 'Series', sql.seriesOf, { multi: true }),
  ],
  panels: [
    { height: 7, panels: [predictionTable('Predictions of $host', 24, OF_HOST)] },
    { height: 10, panels: [withForecast('What can run out, with bound and forecast', FILLS)] },
    { height: 9, panels: [withForecast('$series', CHOSEN, { repeat: 'series', repeatDirection: 'h', maxPerRow: 2 })] },
    { height: 8, panels: [timeline(SOURCE, 'Votes over time', 24, overTime(sql.votes), { isNumbered: true })] },
    {
      height: 9,
      panels: [
        table(SOURCE, 'Processes that grew most when it was predicted', 12, rows(sql.processes), {
          overrides: [field('over', ['unit', 's'])],
        }),
        table(SOURCE, 'Told and quieted', 12, rows(sql.alerts(OF_HOST)), {
          overrides: [field('severity', ...SEVERITY)],
        }),
      ],
    },
  ],
});

const sandbox = dashboard({
  uid: 'arki-sql-sandbox',
  title: 'Arki: sandbox (TimescaleDB)',
  description: 'Fixes that were tried on copies, what they showed, and what was decided.',
  tags: ['arki-sql'],
  from: 'now-30d',
  variables: [sourceVariable(SOURCE)],
  panels: [
    {
      height: 4,
      panels: [figures(SOURCE, 'Trials', 24, rows(sql.runCounts))],
    },
    {
      height: 14,
      panels: [
        table(SOURCE, 'Runs', 24, rows(sql.runs), {
          overrides: [
            field('outcome', ...colours({ succeeded: 'green', failed: 'red' })),
            field('took', ['unit', 's']),
            field('host', hostLink(HOST)),
          ],
        }),
      ],
    },
  ],
});

export default { 'timescale/fleet.json': fleet, 'timescale/host.json': host, 'timescale/sandbox.json': sandbox };
