/**
 * A real hub with real agents that play recorded hosts, until it shows their predictions.
 */
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { startPostgres } from './postgres.mjs';
import { EXPECTED, HOSTS, HOURS } from './traces.mjs';
import { freePort, until } from './waiting.mjs';

const run = promisify(execFile);

/** Half a minute for the traces: a pass every 60 ms, which a debug build on a busy machine keeps up with. */
const SPEED = 480;

/**
 * @param programs the folder with `arki-hub` and `arki-agent`
 * @param postgres the folder with PostgreSQL's; without it the hub stores in SQLite
 */
export async function startStage(programs, work, postgres) {
  const children = [];
  const stage = { stop: () => stop(children) };
  try {
    const port = await freePort();
    stage.url = `http://127.0.0.1:${port}`;
    stage.config = path.join(work, 'hub.toml');
    stage.hub = path.join(programs, 'arki-hub');
    if (postgres !== undefined) {
      stage.database = await startPostgres(postgres, work);
      children.push(stage.database.child);
    }
    const database = stage.database?.url ?? `sqlite://${path.join(work, 'hub.db')}`;
    await fs.writeFile(stage.config, `listen = "127.0.0.1:${port}"\n[database]\nurl = "${database}"\n`);
    children.push(await start(stage.hub, ['serve', '--config', stage.config], path.join(work, 'hub.log')));
    await until('the hub answers', () => fetch(`${stage.url}/healthz`).then((answer) => answer.ok));
    const key = async (name, scope) =>
      (await run(stage.hub, ['key', 'create', name, '--scope', scope, '--config', stage.config])).stdout.trim();
    stage.keys = { sandbox: await key('grafana', 'sandbox'), read: await key('grafana-read', 'read') };
    const agents = [];
    for (const [host, trace] of Object.entries(HOSTS)) {
      agents.push(await agent(programs, work, stage, host, trace));
      children.push(agents.at(-1));
    }
    const over = Date.now() + (HOURS * 3_600_000) / SPEED;
    await until('the predictions are there', async () => Date.now() >= over && arePredicted(stage));
    // past the end of its trace an agent's clock would run on into the future
    await stop(agents);
    return stage;
  } catch (error) {
    await stage.stop();
    throw error;
  }
}

async function agent(programs, work, stage, host, trace) {
  const program = path.join(programs, 'arki-agent');
  const file = (end) => path.join(work, `${host}${end}`);
  const token = await run(stage.hub, ['agent', 'token', '--ttl', '1h', '--config', stage.config]);
  await fs.writeFile(file('.token'), token.stdout);
  await fs.writeFile(file('.csv'), trace);
  const config = file('.toml');
  const lines = [
    'interval = "30s"',
    `host = "${host}"`,
    `state_dir = "${file('')}"`,
    `socket = "${file('.sock')}"`,
    '[hub]',
    `url = "${stage.url}"`,
  ];
  await fs.writeFile(config, `${lines.join('\n')}\n`);
  await run(program, ['enroll', '--token-file', file('.token'), '--config', config]);
  return start(program, ['run', '--trace', file('.csv'), '--speed', String(SPEED), '--config', config], file('.log'));
}

async function arePredicted({ url, keys }) {
  const headers = { Authorization: `Bearer ${keys.read}` };
  const answer = await fetch(`${url}/v1/predictions`, { headers });
  const { items } = await answer.json();
  const found = new Set(items.map(({ host, series }) => `${host} ${series}`));
  return EXPECTED.every((name) => found.has(name));
}

async function start(program, args, log) {
  const out = await fs.open(log, 'w');
  const child = spawn(program, args, { stdio: ['ignore', out.fd, out.fd] });
  child.once('exit', () => out.close());
  return child;
}

/** The last one first: the database outlives the hub. */
async function stop(children) {
  const running = children.toReversed().filter((child) => child.exitCode === null && child.signalCode === null);
  await Promise.all(
    running.map((child) => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      return ended;
    })
  );
}
