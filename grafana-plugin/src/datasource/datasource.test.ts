import { dateTime, DataQueryRequest } from '@grafana/data';
import { TemplateSrv } from '@grafana/runtime';
import { HubClient } from '../hub/client';
import { agent, prediction } from '../testing/samples';
import { addressProblem, tidyAddress } from './address';
import { ArkiDataSource } from './datasource';
import { Fleet } from './fleet';
import { testHub } from './health';
import { interpolate, items } from './interpolate';
import pluginJson from './plugin.json';
import { ArkiQuery } from './types';

const templates = {
  replace: (text: string) => text.replace('$host', 'a,b').replace('$one', 'web-1'),
} as unknown as TemplateSrv;

/** A hub that answers each path with the same. */
function hub(answers: Record<string, unknown>) {
  const client = new HubClient('/proxy');
  const calls: Array<[string, unknown]> = [];
  jest.spyOn(client, 'get').mockImplementation((path, params) => {
    calls.push([path, params]);
    return path in answers ? Promise.resolve(answers[path] as never) : Promise.reject({ status: 502 });
  });
  return { client, calls };
}

function source(answers: Record<string, unknown>) {
  const datasource = new ArkiDataSource({ url: '/proxy', jsonData: { hubUrl: 'http://hub' } } as never, templates);
  const { client, calls } = hub(answers);
  Object.assign(datasource, { hub: client, fleet: new Fleet(client) });
  return { datasource, calls };
}

function asked(...targets: Array<Partial<ArkiQuery>>): DataQueryRequest<ArkiQuery> {
  const range = { from: dateTime(0), to: dateTime(100_000_000) };
  return { targets, range, scopedVars: {}, intervalMs: 60_000, startTime: 2_000_000 } as never;
}

const PREDICTIONS = {
  'v1/predictions': { items: [prediction(), prediction({ host: 'b', id: '2' }), prediction({ host: 'c', id: '3' })] },
};

test('variables become lists, and braces keep their commas', () => {
  expect(interpolate({ refId: 'A', queryType: 'predictions', host: '$host' }, {}, templates).host).toBe('a,b');
  expect(items('a, b{x,y},,c')).toEqual(['a', 'b{x,y}', 'c']);
  expect(items(undefined)).toEqual([]);
});

test('one host is asked of the hub, more are chosen here', async () => {
  const one = source(PREDICTIONS);
  await one.datasource.query(asked({ refId: 'A', queryType: 'predictions', state: 'active', host: '$one' }));
  expect(one.calls[0]).toEqual(['v1/predictions', { state: 'active', host: 'web-1', limit: 1000, after: undefined }]);
  const more = source(PREDICTIONS);
  const { data } = await more.datasource.query(asked({ refId: 'A', queryType: 'predictions', host: '$host' }));
  expect(more.calls[0]?.[1]).toMatchObject({ host: undefined });
  expect(data[0].length).toBe(1);
});

test('a query that fails says so beside those that do not', async () => {
  const { datasource } = source(PREDICTIONS);
  const answer = await datasource.query(
    asked(
      { refId: 'A', queryType: 'predictions' },
      { refId: 'B', queryType: 'alerts' },
      { refId: 'C', queryType: 'metrics' }
    )
  );
  expect(answer.data).toHaveLength(1);
  expect(answer.errors?.map(({ refId }) => refId)).toEqual(['B', 'C']);
  expect(answer.errors?.[1]?.message).toMatch(/Name a series/);
});

test('alerts are asked without a state of predictions', async () => {
  const { datasource, calls } = source({ 'v1/alerts': { items: [] } });
  await datasource.query(asked({ refId: 'A', queryType: 'alerts' }));
  expect(calls[0]?.[1]).toMatchObject({ state: '' });
});

test('a revoked agent is no server any more', async () => {
  const { datasource } = source({ 'v1/agents': { items: [agent(), agent({ host: 'gone', state: 'revoked' })] } });
  const { data } = await datasource.query(asked({ refId: 'A', queryType: 'agents' }));
  expect(data[0].fields[0].values).toEqual(['web-1']);
});

test('a hidden query is not asked', async () => {
  const { datasource, calls } = source(PREDICTIONS);
  expect(await datasource.query(asked({ refId: 'A', queryType: 'predictions', hide: true }))).toEqual({ data: [] });
  expect(calls).toEqual([]);
});

test('the fleet is read once for queries that come together, and a failure is not kept', async () => {
  let now = 0;
  const { client, calls } = hub({ 'v1/agents': { items: [agent()] } });
  const fleet = new Fleet(client, () => now);
  await Promise.all([fleet.agents(), fleet.agents()]);
  expect(calls).toHaveLength(1);
  now = 11_000;
  await fleet.agents();
  expect(calls).toHaveLength(2);
  const broken = new Fleet(hub({}).client, () => 0);
  await expect(broken.agents()).rejects.toMatchObject({ status: 502 });
  await expect(broken.agents()).rejects.toMatchObject({ status: 502 });
});

test('the address is checked before anything is sent to it', () => {
  expect(addressProblem('http://arki-hub:8420')).toBeUndefined();
  expect(addressProblem('')).toMatch(/Enter the address/);
  expect(addressProblem('arki-hub')).toMatch(/is no address/);
  expect(addressProblem('arki-hub:8420')).toMatch(/not spoken/);
  expect(addressProblem('https://u:p@hub')).toMatch(/its own field/);
  expect(addressProblem('https://hub/?a=b')).toMatch(/no \? or #/);
  expect(tidyAddress(' http://hub/ ')).toBe('http://hub');
});

test('the health check counts, and says what the key lacks', async () => {
  const agents = { items: [agent({ predictions_active: 2 }), agent({ state: 'revoked' })] };
  const good = hub({ 'v1/agents': agents, 'v1/sandbox/services': { items: [{ name: 'nginx' }] } });
  expect(await testHub(good.client, 'http://hub')).toEqual({
    status: 'success',
    message: 'The hub answers. 1 server enrolled, 2 active predictions. Fixes can be tried on copies of: nginx.',
  });
  expect(await testHub(hub({}).client, 'http://hub')).toMatchObject({ status: 'error' });
  expect((await testHub(good.client, '')).message).toMatch(/Enter the address/);
});

test('every route names its method and role, holds the key, and only the narrow POST is for an Editor', () => {
  for (const route of pluginJson.routes) {
    expect(route.url).toBe(`{{ .JsonData.hubUrl }}/${route.path}`);
    expect(route.headers).toEqual([{ name: 'Authorization', content: 'Bearer {{ .SecureJsonData.apiKey }}' }]);
    expect([route.method, route.reqRole]).toEqual(
      route.path === 'v1/sandbox/runs' ? ['POST', 'Editor'] : ['GET', 'Viewer']
    );
  }
  expect(pluginJson.routes.filter(({ method }) => method === 'POST')).toHaveLength(1);
});
