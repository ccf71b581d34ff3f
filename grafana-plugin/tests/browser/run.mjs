/**
 * The built plugins in a real browser against a real hub with real predictions.
 *
 *   node tests/browser/run.mjs [--screenshots FOLDER] [--only EXPRESSION]
 *
 * Wants `arki-hub` and `arki-agent` (ARKI_PROGRAMS, by default ../target/debug), the built plugins in `dist`, Chromium,
 * PostgreSQL for the SQL of the dashboards, and a container engine with the sandbox's images (ARKI_TEST_DOCKER) for a trial to
 * its end. What is missing is said aloud; with CI=true it is an error.
 */
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findChromium, launch } from './chromium.mjs';
import { startGrafana } from './grafana.mjs';
import { findPostgres } from './postgres.mjs';
import { findEngine } from './sandbox.mjs';
import { scenarios, withEngine } from './scenarios.mjs';
import { checkSql } from './sql.mjs';
import { startStage } from './stage.mjs';

const SQL = 'the SQL of every dashboard runs on the database of the hub';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const programs = process.env.ARKI_PROGRAMS ?? path.join(root, '../target/debug');
const chromium = findChromium();
const postgres = await findPostgres();
const engine = findEngine();
const { values: given } = parseArgs({ options: { screenshots: { type: 'string' }, only: { type: 'string' } } });
const screenshots = given.screenshots ?? path.join(root, 'test-results/screenshots');

const missing = [
  ...(chromium === undefined ? ['chromium'] : []),
  ...(existsSync(path.join(programs, 'arki-hub')) ? [] : [`arki-hub in ${programs}`]),
  ...(existsSync(path.join(root, 'dist/module.js')) ? [] : ['the built plugins (npm run build)']),
  ...(existsSync(path.join(root, 'test-results/page/page.js')) ? [] : ['the page (npm run build:page)']),
];
if (missing.length > 0) {
  console.error(`SKIPPED: the plugins in a browser; missing: ${missing.join(', ')}`);
  process.exit(process.env.CI === 'true' ? 1 : 0);
}
const lacking = [
  ...(postgres === undefined ? ['the SQL of the dashboards; there is no PostgreSQL here'] : []),
  ...(engine === undefined ? ['a trial to its end; there is no container engine here (ARKI_TEST_DOCKER)'] : []),
];
for (const what of lacking) {
  console.error(`SKIPPED: ${what}`);
  process.exitCode = process.env.CI === 'true' ? 1 : 0;
}

const files = {
  dist: path.join(root, 'dist'),
  page: path.join(root, 'test-results/page'),
  html: path.join(root, 'tests/browser/page'),
  systemjs: path.join(root, 'node_modules/systemjs/dist'),
  public: path.join(root, 'node_modules/@grafana/ui/dist/public'),
};
await fs.mkdir(screenshots, { recursive: true });
const work = await fs.mkdtemp(path.join(os.tmpdir(), 'arki-grafana-'));
const ends = [() => fs.rm(work, { recursive: true, force: true })];
try {
  const stage = await startStage(programs, work, postgres, engine);
  ends.push(stage.stop);
  console.log(`ok  the hub has the predictions of three hosts (${stage.database ? 'PostgreSQL' : 'SQLite'})`);
  const grafana = await startGrafana(files, stage.url);
  ends.push(grafana.stop);
  const browser = await launch(chromium);
  ends.push(() => browser.close());
  const all = {
    ...(stage.database !== undefined && { [SQL]: ({ stage }) => checkSql(stage.database) }),
    ...scenarios,
    ...(engine !== undefined && withEngine),
  };
  const wanted = new RegExp(given.only ?? '');
  for (const [name, scenario] of Object.entries(all).filter(([name]) => wanted.test(name))) {
    try {
      await scenario({ browser, grafana, stage, screenshots });
      console.log(`ok  ${name}`);
    } catch (error) {
      console.error(`FAILED  ${name}\n`, error);
      process.exitCode = 1;
    }
  }
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  for (const end of ends.reverse()) {
    await end();
  }
}
