/**
 * The dashboards over the Arki data source.
 */
import {
  bars,
  colours,
  dashboard,
  field,
  figures,
  hostLink,
  lines,
  panel,
  queryVariable,
  sourceVariable,
  stat,
  table,
  timeLeft,
  timeline,
} from './build.mjs';

const SOURCE = 'arki-datasource';
const PANEL = 'arki-predictions-panel';
const HOST = 'arki-host';

const equals = (fieldName, value) => ({
  transformations: [
    {
      id: 'filterByValue',
      options: {
        type: 'include',
        match: 'all',
        filters: [{ fieldName, config: { id: 'equal', options: { value } } }],
      },
    },
  ],
});

/** Without what has no time to failure. */
const TIMED = {
  transformations: [
    {
      id: 'filterByValue',
      options: {
        type: 'include',
        match: 'all',
        filters: [{ fieldName: 'time to failure', config: { id: 'isNotNull', options: {} } }],
      },
    },
  ],
};

const predictions = (title, width, target) =>
  panel(SOURCE, PANEL, title, width, [{ queryType: 'predictions', ...target }]);
const active = { queryType: 'predictions', state: 'active' };
const record = { queryType: 'record' };
const hidden = (...names) => names.map((name) => field(name, ['custom.hidden', true]));

const fleet = dashboard({
  uid: 'arki-fleet',
  title: 'Arki: fleet',
  description: 'What will fail next, where, and how good the predictions were.',
  tags: ['arki-source'],
  from: 'now-7d',
  variables: [sourceVariable(SOURCE)],
  panels: [
    {
      height: 4,
      panels: [
        stat(SOURCE, 'Servers', 4, { queryType: 'agents' }, { calc: 'count', field: '/^host$/' }),
        stat(
          SOURCE,
          'Silent',
          4,
          { queryType: 'agents' },
          {
            calc: 'count',
            field: '/^host$/',
            color: 'red',
            ...equals('state', 'silent'),
          }
        ),
        stat(SOURCE, 'Active predictions', 4, active, { calc: 'count', field: '/^host$/', color: 'orange' }),
        stat(SOURCE, 'Critical', 4, active, {
          calc: 'count',
          field: '/^host$/',
          color: 'red',
          ...equals('severity', 'critical'),
        }),
        stat(SOURCE, 'Time to the next failure', 8, active, {
          calc: 'min',
          field: '/^time to failure$/',
          unit: 'dtdurations',
        }),
      ],
    },
    { height: 12, panels: [predictions('Predictions', 24, { state: 'active' })] },
    {
      height: 9,
      panels: [
        table(
          SOURCE,
          'Hosts by risk',
          14,
          { queryType: 'agents' },
          {
            overrides: [
              field('host', hostLink(HOST)),
              field('last seen', ['unit', 'dateTimeFromNow']),
              field('silent since', ['unit', 'dateTimeFromNow']),
              ...hidden('id', 'enrolled', 'summaries dropped'),
            ],
          }
        ),
        timeLeft(SOURCE, 10, active, {
          field: 'time to failure',
          displayName: '${__data.fields.host} ${__data.fields.series}',
          ...TIMED,
        }),
      ],
    },
    {
      height: 8,
      panels: [
        bars(SOURCE, 'Alarms raised against quieted', 14, [{ queryType: 'alerts', format: 'count' }], {
          raised: 'orange',
          quieted: 'blue',
        }),
        figures(SOURCE, 'Track record in this time', 10, record, {
          orientation: 'horizontal',
          overrides: [field('median lead', ['unit', 'dtdurations'])],
        }),
      ],
    },
    {
      height: 9,
      panels: [
        table(
          SOURCE,
          'Told and quieted',
          24,
          { queryType: 'alerts', state: '' },
          {
            overrides: [field('host', hostLink(HOST)), field('reason', ['custom.width', 480])],
          }
        ),
      ],
    },
  ],
});

const host = dashboard({
  uid: HOST,
  title: 'Arki: host',
  description: 'One host: its series with bound and forecast, the votes over time, and which processes grew.',
  tags: ['arki-source'],
  from: 'now-24h',
  to: 'now+6h',
  variables: [
    sourceVariable(SOURCE),
    queryVariable(SOURCE, 'host', 'Host', { refId: 'host', kind: 'hosts' }),
    queryVariable(SOURCE, 'series', 'Series', { refId: 'series', kind: 'series', host: '$host' }, { multi: true }),
  ],
  panels: [
    { height: 8, panels: [predictions('Predictions of $host', 24, { state: 'active', host: '$host' })] },
    {
      height: 10,
      panels: [
        lines(SOURCE, 'What can run out, with bound and forecast', 24, [
          { queryType: 'metrics', host: '$host', series: '*used_percent*', statistic: 'mean', forecast: true },
        ]),
      ],
    },
    {
      height: 9,
      panels: [
        lines(
          SOURCE,
          '$series',
          24,
          [{ queryType: 'metrics', host: '$host', series: '$series', statistic: 'all', forecast: true }],
          { repeat: 'series', repeatDirection: 'h', maxPerRow: 2 }
        ),
      ],
    },
    { height: 8, panels: [timeline(SOURCE, 'Votes over time', 24, { queryType: 'votes', host: '$host' })] },
    {
      height: 9,
      panels: [
        table(
          SOURCE,
          'Processes that grew most when it was predicted',
          12,
          { queryType: 'processes', host: '$host', state: 'all' },
          {
            overrides: hidden('host'),
          }
        ),
        table(
          SOURCE,
          'Told and quieted',
          12,
          { queryType: 'alerts', host: '$host', state: '' },
          {
            overrides: hidden('host', 'hosts'),
          }
        ),
      ],
    },
  ],
});
// predictions on every graph of the host
host.annotations.list.push({
  name: 'Predictions',
  enable: true,
  iconColor: 'orange',
  datasource: { type: SOURCE, uid: '${datasource}' },
  target: { refId: 'Anno', queryType: 'annotations', state: 'all', host: '$host' },
});

const run = (state) => ({ queryType: 'runs', state });
const sandbox = dashboard({
  uid: 'arki-sandbox',
  title: 'Arki: sandbox',
  description: 'Fixes that were tried on copies, what they showed, and what was decided.',
  tags: ['arki-source'],
  from: 'now-30d',
  variables: [sourceVariable(SOURCE)],
  panels: [
    {
      height: 4,
      panels: [
        stat(SOURCE, 'Tried', 6, run(''), { calc: 'count', field: '/^id$/' }),
        stat(SOURCE, 'Worked', 6, run('done'), {
          calc: 'count',
          field: '/^id$/',
          color: 'green',
          ...equals('outcome', 'succeeded'),
        }),
        stat(SOURCE, 'Under way', 6, run('open'), { calc: 'count', field: '/^id$/', color: 'blue' }),
        stat(SOURCE, 'To be applied', 6, run('decided'), {
          calc: 'count',
          field: '/^id$/',
          color: 'orange',
          ...equals('decision', 'apply'),
        }),
      ],
    },
    { height: 10, panels: [predictions('Try a fix', 24, { state: 'active' })] },
    {
      height: 12,
      panels: [
        table(SOURCE, 'Runs', 24, run(''), {
          overrides: [
            field('host', hostLink(HOST)),
            field('outcome', ...colours({ succeeded: 'green', failed: 'red' })),
            ...hidden('id', 'prediction'),
          ],
        }),
      ],
    },
  ],
});

export default { 'arki/fleet.json': fleet, 'arki/host.json': host, 'arki/sandbox.json': sandbox };
