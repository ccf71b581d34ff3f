/**
 * A PostgreSQL of its own for the hub, so that the SQL of the dashboards is tried on what a real hub has stored.
 */
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort, until } from './waiting.mjs';

const run = promisify(execFile);
const VERSIONS = '/usr/lib/postgresql';

/** The folder of `initdb` and `postgres`; nothing where there is none. */
export async function findPostgres() {
  const versions = await fs.readdir(VERSIONS).catch(() => []);
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? undefined : path.join(VERSIONS, newest, 'bin');
}

/** PostgreSQL does not run as root: there it runs as its package's user. */
async function owner() {
  if (process.getuid() !== 0) {
    return {};
  }
  const id = async (flag) => Number((await run('id', [flag, 'postgres'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

export async function startPostgres(programs, work) {
  const user = await owner();
  const folder = path.join(work, 'postgres');
  await fs.mkdir(folder);
  if (user.uid !== undefined) {
    await fs.chmod(work, 0o755);
    await fs.chown(folder, user.uid, user.gid);
  }
  const data = path.join(folder, 'data');
  const options = { ...user, cwd: folder };
  await run(
    path.join(programs, 'initdb'),
    ['--no-sync', '-A', 'trust', '-U', 'arki', '-E', 'UTF8', '-D', data],
    options
  );
  const port = await freePort();
  const args = ['-D', data, '-p', String(port), '-k', folder, '-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off'];
  const child = spawn(path.join(programs, 'postgres'), args, { ...options, stdio: 'ignore' });
  const psql = async (database, rest, name = 'arki') => {
    const to = ['-X', '-q', '-h', '127.0.0.1', '-p', String(port), '-U', name, '-d', database, '-v', 'ON_ERROR_STOP=1'];
    return (await run(path.join(programs, 'psql'), [...to, '-A', '-t', ...rest])).stdout;
  };
  await until('PostgreSQL answers', () => psql('postgres', ['-c', 'SELECT 1']).then(() => true));
  await psql('postgres', ['-c', 'CREATE DATABASE arki']);
  return {
    url: `postgres://arki@127.0.0.1:${port}/arki`,
    /** As the hub's own user. */
    file: (file, variables) => psql('arki', [...variables.flatMap((one) => ['-v', one]), '-f', file]),
    /** As the user that Grafana has. */
    query: (sql) => psql('arki', ['-c', sql], 'arki_reader'),
    child,
  };
}
