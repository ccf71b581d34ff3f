/**
 * A real hub with real agents that play recorded hosts, until it shows their predictions; on demand a runner for its trials and
 * the agent of a host again, at the machine's own time.
 */
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { startPostgres } from './postgres.mjs';
import { HOST, makeService, runnerConfig } from './sandbox.mjs';
import { EXPECTED, HOSTS, HOURS } from './traces.mjs';
import { freePort, until } from './waiting.mjs';

const run = promisify(execFile);

/** Half a minute for the traces: a pass every 60 ms, which a debug build on a busy machine keeps up with. */
const SPEED = 480;

/**
 * @param programs the folder with `arki-hub` and `arki-agent`
 * @param postgres the folder with PostgreSQL's; without it the hub stores in SQLite
 * @param engine the socket of a container engine; without it no trial is carried out
 */
export async function startStage(programs, work, postgres, engine) {
  const children = [];
  const service = await makeService(work);
  const stage = { engine, service };
  stage.stop = () => stop(children).finally(service.remove);
  const begin = async (...args) => {
    const child = await start(...args);
    children.push(child);
    return child;
  };
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
    const config = `listen = "127.0.0.1:${port}"\n[database]\nurl = "${database}"\n${service.hubLines}`;
    await fs.writeFile(stage.config, config);
    await begin(stage.hub, ['serve', '--config', stage.config], path.join(work, 'hub.log'));
    await until('the hub answers', () => fetch(`${stage.url}/healthz`).then((answer) => answer.ok));
    const key = async (name, scope) =>
      (await run(stage.hub, ['key', 'create', name, '--scope', scope, '--config', stage.config])).stdout.trim();
    stage.keys = { sandbox: await key('grafana', 'sandbox'), read: await key('grafana-read', 'read') };

    const agent = path.join(programs, 'arki-agent');
    const file = (host, end) => path.join(work, `${host}${end}`);
    const play = async (host, trace, speed) => {
      await fs.writeFile(file(host, '.csv'), trace);
      const args = ['--trace', file(host, '.csv'), '--speed', String(speed), '--config', file(host, '.toml')];
      return begin(agent, ['run', ...args], file(host, '.log'));
    };
    stage.startRunner = async () => {
      const runner = path.join(work, 'runner.toml');
      await fs.writeFile(runner, await runnerConfig(engine, config));
      return begin(stage.hub, ['runner', '--config', runner], path.join(work, 'runner.log'));
    };
    // at the machine's own time, with the end of its trace; one that starts asks the hub at once, and then every 20 s
    let resumed = [];
    stage.resume = async (host) => {
      await stop(resumed);
      resumed = [await play(host, lastRows(HOSTS[host]), 1)];
    };

    const agents = [];
    for (const [host, trace] of Object.entries(HOSTS)) {
      await enrol({ agent, stage, file, host, lines: host === HOST ? service.agentLines : [] });
      agents.push(await play(host, trace, SPEED));
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

async function enrol({ agent, stage, file, host, lines }) {
  const token = await run(stage.hub, ['agent', 'token', '--ttl', '1h', '--config', stage.config]);
  await fs.writeFile(file(host, '.token'), token.stdout);
  const config = [
    'interval = "30s"',
    `host = "${host}"`,
    `state_dir = "${file(host, '')}"`,
    `socket = "${file(host, '.sock')}"`,
    '[hub]',
    `url = "${stage.url}"`,
    ...lines,
  ];
  await fs.writeFile(file(host, '.toml'), `${config.join('\n')}\n`);
  await run(agent, ['enroll', '--token-file', file(host, '.token'), '--config', file(host, '.toml')]);
}

/** A trace's header and what it ends with. */
function lastRows(trace) {
  const lines = trace.trimEnd().split('\n');
  return `${[lines[0], ...lines.slice(-2)].join('\n')}\n`;
}

async function arePredicted({ url, keys }) {
  const headers = { Authorization: `Bearer ${keys.read}` };
  const answer = await fetch(`${url}/v1/predictions`, { headers });
  const { items } = await answer.json();
  const found = new Set(items.map(({ host, series }) => `${host} ${series}`));
  return EXPECTED.every((name) => found.has(name));
}

async function start(program, args, log) {
  const out = await fs.open(log, 'a');
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
