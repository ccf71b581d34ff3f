/**
 * Writes the dashboards to `src/dashboards`; with `--check` only says whether they are up to date.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import arki from './arki.mjs';
import timescale from './timescale.mjs';

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), '../src/dashboards');
const isCheck = process.argv.includes('--check');
const stale = [];
for (const [name, dashboard] of Object.entries({ ...arki, ...timescale })) {
  const file = path.join(folder, name);
  const text = `${JSON.stringify(dashboard, null, 2)}\n`;
  if ((await fs.readFile(file, 'utf8').catch(() => '')) === text) {
    continue;
  }
  stale.push(name);
  if (!isCheck) {
    await fs.mkdir(path.dirname(file), { recursive: true });
    await fs.writeFile(file, text);
  }
}
if (isCheck && stale.length > 0) {
  console.error(`not up to date: ${stale.join(', ')}; run npm run dashboards`);
  process.exitCode = 1;
}
