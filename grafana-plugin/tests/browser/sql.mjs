/**
 * Every query of the dashboards over the database, tried on what the hub has stored there, by the user that the compose file
 * makes for Grafana.
 */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
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
  const active = await database.query('SELECT count(*) FROM prediction WHERE ended_at IS NULL');
  assert.equal(active.trim(), '3');
}
