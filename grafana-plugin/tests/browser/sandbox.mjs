/**
 * The sandbox of the test's hub: a real container engine (ARKI_TEST_DOCKER names its socket; `.ci/docker` starts one that has the
 * images) that a runner of its own has, as `arki-hub runner` beside a hub, and a host that lets one fix be applied.
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** The image of each service that is tried here. */
const IMAGES = { nginx: 'nginx', spool: 'generic' };

/** The host that has the service. */
export const HOST = 'mail-2';

/** The socket of the engine; nothing where there is none. */
export function findEngine() {
  return process.env.ARKI_TEST_DOCKER || undefined;
}

/** A service whose debug log fills the disk: the same path on the host and, below a tmpfs, in a copy. */
export async function makeService(work) {
  const folder = path.join(work, 'spool');
  const profiles = path.join(work, 'profiles');
  const log = path.join('/tmp', `${path.basename(work)}-debug.log`);
  await fs.mkdir(folder);
  await fs.mkdir(profiles);
  await fs.writeFile(path.join(folder, 'spool.conf'), 'workers = 4\n');
  await fs.writeFile(path.join(profiles, 'spool.toml'), profile(folder, log));
  await fs.writeFile(log, 'x'.repeat(300_000));
  return {
    log,
    hubLines: `[sandbox]\nprofiles = "${profiles}"\n`,
    agentLines: [
      '[[service]]',
      'name = "spool"',
      `snapshot = ["${folder}"]`,
      '[apply]',
      'enabled = true',
      '[[apply.action]]',
      'service = "spool"',
      'name = "empty-debug-log"',
      `argv = ["truncate", "--size=0", "${log}"]`,
    ],
    remove: () => fs.rm(log, { force: true }),
  };
}

const profile = (folder, log) => `
name = "spool"
title = "Mail spool"
user = "65534:65534"
start = ["sleep", "3600"]
ready = ["grep", "-q", "^workers", "${folder}/spool.conf"]
configuration = ["${folder}"]

[image]
packages = ["procps"]

[[tmpfs]]
path = "/tmp"
mebibytes = 8

[[measure]]
name = "debug_log"
title = "Size of the debug log"
kind = "number"
unit = "B"
argv = ["stat", "--format=%s", "${log}"]

[[action]]
name = "empty-debug-log"
title = "Empty the debug log"
stage = [["truncate", "--size=300K", "${log}"]]
argv = ["truncate", "--size=0", "${log}"]
proves = ["the service goes on with an empty debug log"]
does_not_prove = ["how fast it grows again on this host"]
undo = "It cannot be undone: keep a copy of the log if it is still needed."
candidate_for = ["disk.used_percent*"]
applicable = true

[[action.expect]]
measure = "debug_log"
change = "falls"
`;

/** The configuration of a runner: that of the hub, and the engine with the images that may be used. */
export async function runnerConfig(engine, hubConfig) {
  const images = await Promise.all(
    Object.entries(IMAGES).map(async ([service, image]) => {
      const args = ['image', 'inspect', '--format', '{{.Id}}', `arki-sandbox/${image}:latest`];
      return `${service} = "${(await docker(engine, args)).trim()}"\n`;
    })
  );
  return hubConfig.replace('[sandbox]\n', `[sandbox]\ndocker = "${engine}"\n`) + `[sandbox.images]\n${images.join('')}`;
}

/** The containers of these runs that are still there. */
export async function containersOf(engine, runs) {
  const labels = runs.map(({ id }) => `io.arki.sandbox.run=${id.replaceAll('-', '')}`);
  const found = await Promise.all(
    labels.map((label) => docker(engine, ['ps', '--all', '--quiet', '--filter', `label=${label}`]))
  );
  return found.join('').trim();
}

async function docker(engine, args) {
  return (await exec('docker', ['--host', engine, ...args])).stdout;
}
