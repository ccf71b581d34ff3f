/**
 * Every query of the dashboards over the database, tried on what the hub has stored there, by the user that the compose file
 * makes for Grafana.
 */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { VERDICTS } from '../../dashboards/build.mjs';
import * as sql from '../../dashboards/sql.mjs';
import timescale from '../../dashboards/timescale.mjs';

/** What Grafana's PostgreSQL data source makes of its macros and of the variables, for the last day. */
function expand(sql) {
  const from = "(now() - interval '24 hours')";
  const to = "(now() + interval '6 hours')";
  return sql
    .replaceAll(/\$__timeFilter\(([^)]+)\)/g, `$1 BETWEEN ${from} AND ${to}`)
    .replaceAll(/\$__timeGroupAlias\((\w+), \$__interval\)/g, 'floor(extract(epoch FROM $1) / 300) * 300 AS "time"')
    .replaceAll('$__timeFrom()', from)
    .replaceAll('$__timeTo()', to)
    .replaceAll('$host', 'mail-2')
    .replaceAll('$series', "'disk.used_percent{/var/spool}'");
}

/** Panels that have nothing to show in this test: nobody has raised alarms, tried a fix, or named a process. */
const MAY_BE_EMPTY = [
  'Told and quieted',
  'Alarms raised against quieted',
  'Processes that grew most when it was predicted',
  'Runs',
];

const READER = fileURLToPath(new URL('../../../packaging/compose/reader.sql', import.meta.url));

/** Runs `sql` as if the table of predictions held `rows`. */
const overPredictions = (database, rows, sql) => database.query(`WITH prediction AS (${rows}) ${expand(sql)}`);

/** Where there is no time to failure, none is shown: 0 s would say that it fails now. */
async function nothingIsNotNow(database) {
  const none = 'SELECT * FROM prediction WHERE false';
  assert.equal((await overPredictions(database, none, sql.nextFailure)).trim(), '');
  const untimed = `SELECT (jsonb_populate_record(p, CASE WHEN prediction_no = (SELECT min(prediction_no) FROM prediction)
    THEN '{"eta_median_s": null}'::jsonb ELSE '{}'::jsonb END)).* FROM prediction p`;
  const left = (await overPredictions(database, untimed, sql.predictions())).trim().split('\n');
  const seconds = left.map((line) => line.split('|')[5]);
  assert.equal(seconds.length, 3);
  assert.ok(
    seconds.slice(0, 2).every((text) => Number(text) > 0),
    seconds.join()
  );
  assert.equal(seconds[2], '', 'what has no time comes last, without one');
}

/** Grafana makes one line a voter of time, name and number; each has a value whenever one of them spoke. */
async function votesAreNumbers(database) {
  const rows = (await database.query(expand(sql.votes))).trim().split('\n');
  const cells = rows.map((line) => line.split('|'));
  const [times, metrics] = [0, 1].map((i) => new Set(cells.map((cell) => cell[i])));
  assert.equal(rows.length, times.size * metrics.size);
  assert.equal(metrics.size, 6);
  const known = new Set(VERDICTS.map((_, i) => String(i + 1)));
  assert.ok(
    cells.every(([, , value]) => value === '' || known.has(value)),
    rows.join('\n')
  );
  const shown = timescale['timescale/host.json'].panels.find(({ title }) => title === 'Votes over time');
  assert.deepEqual(Object.keys(shown.fieldConfig.defaults.mappings[0].options), [...known]);
}

export async function checkSql(database) {
  await database.file(READER, ['password=test']);
  await assert.rejects(database.query('SELECT * FROM api_key'), /permission denied/);
  await assert.rejects(database.query('SELECT * FROM setting'), /permission denied/);
  for (const [name, dashboard] of Object.entries(timescale)) {
    const variables = dashboard.templating.list
      .filter(({ type }) => type === 'query')
      .map(({ query }) => ['variable', query]);
    const panels = dashboard.panels.flatMap((panel) => panel.targets.map(({ rawSql }) => [panel.title, rawSql]));
    for (const [title, sql] of [...variables, ...panels]) {
      const expanded = expand(sql);
      assert.ok(!expanded.includes('$'), `${name}, ${title}: something is not replaced: ${expanded}`);
      const answer = await database.query(expanded);
      assert.ok(answer.trim() !== '' || MAY_BE_EMPTY.includes(title), `${name}, ${title}: no row came of ${expanded}`);
    }
  }
  await nothingIsNotNow(database);
  await votesAreNumbers(database);
  const active = await database.query('SELECT count(*) FROM prediction WHERE ended_at IS NULL');
  assert.equal(active.trim(), '3');
}
