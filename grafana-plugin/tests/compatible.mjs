/**
 * Whether the plugins fit the oldest and the newest Grafana that they support, by the types of its libraries:
 *
 * - the code is compiled against the libraries of that version: all that it uses is there, and takes and gives what is expected;
 * - levitate compares each declaration that is used with that of the version the plugins are built with. It counts more than what
 *   breaks: what it finds is listed below with what it is, and anything else is a failure.
 *
 * The versions are fixed, so that a release of Grafana breaks no build of an older plugin.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTsProgram, getIncompatibilitiesBetweenPackages } from '@grafana/levitate';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
/** Below `node_modules`, so that what the libraries themselves import is found there. */
const cache = path.join(root, 'node_modules/.cache/grafana');
const ENTRY = path.join(root, 'tests/all.ts');
const { dependencies } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));

/** The newest with a complete set of packages: 13.2.3 has no @grafana/ui. */
const VERSIONS = ['11.0.0', '13.2.2'];
/** What Grafana shares with plugins. */
const SHARED = ['@grafana/data', '@grafana/ui', '@grafana/runtime'];
/** Their types name types of these. */
const NAMED = ['@grafana/schema'];

/** What levitate finds, by version: what it is, and why it is no difference to this code. */
const LOOKED_AT = {
  '11.0.0': {
    'PanelPlugin.setPanelOptions': "its parameter's type only became exported later",
    'PanelPlugin.useFieldConfig': "its parameter's type only became exported later",
  },
  '13.2.2': {
    config: 'lost `regionalFormat` and gained fields; this code reads `bootData.user`',
    TemplateSrv: 'variables gained optional fields (`origin`, `enableGroupBy`); this code only calls `replace`',
    'TemplateSrv.replace': 'the same text; the types below it gained fields',
    'AppPlugin.setRootPage': '`CoreApp` gained a word (`Notebook`), which this code does not look at',
    'DataSourcePlugin.setConfigEditor': 'data sources gained optional methods, which this one does not have',
    'DataSourcePlugin.setQueryEditor': 'data sources gained optional methods, which this one does not have',
  },
};

/** The folder of a package, fetched where it is not there yet. */
function fetched(name, version) {
  const folder = path.join(cache, `${name}@${version}`);
  if (!fs.existsSync(path.join(folder, 'package.json'))) {
    const loading = fs.mkdtempSync(path.join(cache, 'loading-'));
    const args = ['pack', '--silent', '--pack-destination', loading, `${name}@${version}`];
    const file = execFileSync('npm', args, { encoding: 'utf8' }).trim().split('\n').at(-1);
    execFileSync('tar', ['--extract', '--gzip', '--directory', loading, '--file', path.join(loading, file)]);
    fs.mkdirSync(path.dirname(folder), { recursive: true });
    fs.renameSync(path.join(loading, 'package'), folder);
    fs.rmSync(loading, { recursive: true });
  }
  return folder;
}

/** Compiles the code against the libraries of that version. */
function compiles(version) {
  const folders = [...SHARED, ...NAMED].map((name) => [name, [fetched(name, version)]]);
  const file = path.join(cache, `tsconfig-${version}.json`);
  const config = {
    extends: path.join(root, 'tsconfig.json'),
    compilerOptions: {
      noEmit: true,
      rootDir: root,
      baseUrl: path.join(root, 'src'),
      paths: Object.fromEntries(folders),
    },
    include: [],
    files: [ENTRY],
  };
  fs.writeFileSync(file, JSON.stringify(config));
  try {
    execFileSync(path.join(root, 'node_modules/.bin/tsc'), ['--project', file, '--pretty', 'false'], {
      encoding: 'utf8',
    });
    return [];
  } catch (error) {
    return error.stdout.trim().split('\n');
  }
}

/** What levitate finds that was not looked at. */
async function differences(program, version) {
  const found = [];
  for (const name of SHARED) {
    const from = `${name}@${dependencies[name]}`;
    const to = `${name}@${version}`;
    fetched(name, dependencies[name]);
    fetched(name, version);
    const all = await getIncompatibilitiesBetweenPackages(program, from, to, {});
    const isNew = (one) => one.removal !== undefined || LOOKED_AT[version][one.name] === undefined;
    found.push(
      ...all.filter(isNew).map((one) => `${one.name} ${one.removal === undefined ? 'has changed' : 'is gone'}`)
    );
  }
  return [...new Set(found)];
}

fs.mkdirSync(cache, { recursive: true });
// levitate takes `name@version` below the working folder in place of a download
process.chdir(cache);
const program = createTsProgram(ENTRY);
for (const version of VERSIONS) {
  const errors = [...compiles(version), ...(await differences(program, version))];
  if (errors.length > 0) {
    console.error(`FAILED  Grafana ${version}\n${errors.join('\n')}`);
    process.exitCode = 1;
  } else {
    console.log(`ok  Grafana ${version}`);
  }
}
