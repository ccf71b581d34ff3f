/**
 * What packaging/compose and provisioning/ start and set up, read as Docker Compose and Grafana read it: every image is of one
 * version, every service is watched, no secret stands in a file, and whatever is named is there.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import yaml from 'js-yaml';

const plugin = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const folder = path.join(plugin, '../packaging/compose');
const text = (...parts) => fs.readFileSync(path.join(...parts), 'utf8');
const json = (name) => JSON.parse(text(plugin, 'src', name));
const compose = yaml.load(text(folder, 'docker-compose.yaml'));
const services = Object.entries(compose.services);
const { grafana } = compose.services;

/** A name and a version of at least two numbers. */
const PINNED = /^[a-z0-9./-]+:\d+\.\d+[\w.-]*$/;
const SECRET = /PASSWORD|SECRET|TOKEN|KEY/;

function everyImageIsPinned() {
  const built = new Set(services.filter(([, { build }]) => build).map(([, { image }]) => image));
  const taken = services.map(([, { image }]) => image).filter((image) => !built.has(image));
  const from = [...text(folder, 'Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
  assert.ok(taken.length > 0 && from.length > 0);
  for (const image of [...taken, ...from]) {
    assert.match(image, PINNED);
  }
}

/** Two builds at one time may not write the same image, and nobody else's image of that name is taken. */
function everyImageIsBuiltOnce() {
  const builders = services.filter(([, { build }]) => build).map(([, { image }]) => image);
  assert.equal(new Set(builders).size, builders.length);
  for (const [name, service] of services.filter(([, { build, image }]) => !build && builders.includes(image))) {
    assert.equal(service.pull_policy, 'never', name);
  }
}

function everyServiceIsWatched() {
  for (const [name, service] of services) {
    if (service.restart === 'no') {
      const waiting = services.filter(([, { depends_on }]) => depends_on?.[name]);
      assert.ok(waiting.length > 0, `nobody waits for ${name}`);
    } else {
      assert.deepEqual([name, service.restart], [name, 'unless-stopped']);
      assert.ok(service.healthcheck?.test.length > 0 && service.healthcheck.retries > 0, `${name} is not watched`);
    }
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      const wanted = compose.services[other].restart === 'no' ? 'service_completed_successfully' : 'service_healthy';
      assert.equal(condition, wanted, `${name} waits for ${other}`);
    }
  }
}

/** Whether `file` is in the container of a service: a secret, or below a volume. */
function hasFile({ secrets = [], volumes = [] }, file) {
  const places = [...secrets.map((name) => `/run/secrets/${name}`), ...volumes.map((volume) => volume.split(':')[1])];
  return places.some((place) => file === place || file.startsWith(`${place}/`));
}

function noSecretStandsInAFile() {
  for (const [name, service] of services) {
    for (const [variable, value] of Object.entries(service.environment ?? {})) {
      if (SECRET.test(variable)) {
        assert.match(variable, /_FILE$/, `${name}: ${variable}`);
        assert.ok(hasFile(service, value), `${name}: ${value} is not mounted`);
      }
      assert.doesNotMatch(String(value), /:\/\/[^/@]*:[^/@]*@/, `${name}: ${variable} has a password`);
    }
    for (const secret of service.secrets ?? []) {
      assert.ok(compose.secrets[secret], `${name}: ${secret}`);
    }
  }
  for (const [name, { file }] of Object.entries(compose.secrets)) {
    assert.equal(file, `./secrets/${name}`);
    assert.match(text(folder, 'secrets.sh'), new RegExp(`\\b${name}\\b`));
  }
  assert.match(text(folder, '.gitignore'), /^\/secrets\/$/m);
  assert.match(text(folder, 'Dockerfile.dockerignore'), /^packaging\/compose\/secrets$/m);
}

function onlyTheHubIsReached() {
  const ports = Object.fromEntries(services.flatMap(([name, { ports }]) => (ports ? [[name, ports]] : [])));
  assert.deepEqual(ports, { hub: ['8420:8420'], grafana: ['127.0.0.1:3000:3000'] });
  assert.deepEqual(compose.services.timescaledb.networks, ['inside']);
  assert.equal(compose.networks.inside.internal, true);
}

function whatIsMountedIsThere() {
  for (const [name, { volumes = [] }] of services) {
    for (const [source] of volumes.map((volume) => volume.split(':'))) {
      const isThere = source.startsWith('.') ? fs.existsSync(path.join(folder, source)) : source in compose.volumes;
      assert.ok(isThere, `${name}: ${source}`);
    }
  }
}

/** Grafana's own rules: first `$__file{PATH}`, with the path as it stands, then variables. */
function interpolated(value) {
  return value
    .replaceAll(/\$__file\{([^}]+)\}/g, (_, file) => {
      assert.ok(hasFile(grafana, file), `${file} is not in Grafana's container`);
      return 'secret';
    })
    .replaceAll(/\$\{?(\w+)\}?/g, (_, name) => {
      assert.ok(grafana.environment[name], `${name} is not set`);
      return grafana.environment[name];
    });
}

const provisioned = (kind) => yaml.load(text(plugin, 'provisioning', kind, 'arki.yaml'), { schema: yaml.CORE_SCHEMA });

function everythingIsProvisioned() {
  const ids = ['plugin.json', 'datasource/plugin.json', 'panel/plugin.json'].map((name) => json(name).id);
  assert.deepEqual(grafana.environment.GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS.split(','), ids);
  assert.ok(grafana.volumes.some((volume) => volume.includes(':/etc/grafana/provisioning:ro')));
  const { apps } = provisioned('plugins');
  assert.deepEqual([apps[0].type, apps[0].disabled], ['arki-app', false]);

  const [hub, database] = provisioned('datasources').datasources;
  const [, uid] = /SOURCE_UID = '([^']+)'/.exec(text(plugin, 'src/app/ids.ts'));
  assert.deepEqual([hub.type, hub.uid, hub.url], ['arki-datasource', uid, '']);
  assert.equal(interpolated(hub.jsonData.hubUrl), 'http://hub:8420');
  assert.equal(interpolated(hub.secureJsonData.apiKey), 'secret');
  assert.equal(interpolated(database.url), 'timescaledb:5432');
  assert.equal(interpolated(database.secureJsonData.password), 'secret');
  assert.match(text(folder, 'reader.sql'), new RegExp(`ALTER ROLE ${database.user} `));

  const target = /^COPY --from=build-plugin \S+\/dist (\S+)$/m.exec(text(folder, 'Dockerfile'))[1];
  for (const { options } of provisioned('dashboards').providers) {
    const set = interpolated(options.path);
    assert.ok(set.startsWith(`${target}/`), set);
    assert.ok(fs.readdirSync(path.join(plugin, 'src', path.relative(target, set))).length === 3, set);
  }
}

for (const check of [
  everyImageIsPinned,
  everyImageIsBuiltOnce,
  everyServiceIsWatched,
  noSecretStandsInAFile,
  onlyTheHubIsReached,
  whatIsMountedIsThere,
  everythingIsProvisioned,
]) {
  check();
  console.log(`ok  ${check.name}`);
}
