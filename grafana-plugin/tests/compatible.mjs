/**
 * Whether what the plugins use of Grafana's libraries is in the oldest and in the newest version that they support: levitate
 * compares the types. The versions are fixed, so that a release of Grafana breaks no build of an older plugin.
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
/** The newest with a complete set of packages: 13.2.3 has no @grafana/ui. */
const VERSIONS = ['11.0.0', '13.2.2'];
const PACKAGES = ['@grafana/data', '@grafana/ui', '@grafana/runtime'];
const levitate = path.join(root, 'node_modules/.bin/levitate');

/** Looked at: their parameters' types only became exported after 11.0, nothing in them has changed. */
const HARMLESS = new Set(['PanelPlugin.setPanelOptions', 'PanelPlugin.useFieldConfig']);

function compare(version) {
  const target = PACKAGES.map((name) => `${name}@${version}`).join(',');
  const args = ['is-compatible', '--path', path.join(root, 'tests/all.ts'), '--target', target];
  try {
    execFileSync(levitate, args, { cwd: root, encoding: 'utf8', stdio: 'pipe' });
    return 'ok ';
  } catch (error) {
    const report = `${error.stdout}${error.stderr}`;
    const found = [...report.matchAll(/^\s*\d+\) \S+ `([^`]+)`/gm)].map(([, name]) => name);
    if (found.length === 0 && /INCOMPATIBILITIES \(\d+\)/.test(report)) {
      return 'UNPROVEN, levitate counts differences that it does not name:';
    }
    if (found.length === 0 || !found.every((name) => HARMLESS.has(name))) {
      throw new Error(report, { cause: error });
    }
    return 'ok ';
  }
}

for (const version of VERSIONS) {
  try {
    console.log(`${compare(version)} Grafana ${version}`);
  } catch (error) {
    console.error(`FAILED  Grafana ${version}\n${error.message}`);
    process.exitCode = 1;
  }
}
