import assert from 'node:assert/strict';
import { during, visit } from './visit.mjs';

/** Queries and what must come of them, with the three predictions of the stage. */
const QUERIES = [
  [{ queryType: 'predictions', state: 'active' }, (frames) => frames[0].rows === 3],
  [{ queryType: 'predictions', state: 'active', host: 'db-1' }, (frames) => frames[0].rows === 1],
  [
    { queryType: 'predictions', state: 'active', host: 'db-1,mail-2', series: '*inodes*' },
    (frames) => frames[0].rows === 1,
  ],
  [{ queryType: 'predictions', state: 'past' }, (frames) => frames[0].rows === 0],
  [
    { queryType: 'metrics', host: 'mail-2', series: 'disk.used_percent{/var/spool}' },
    (frames) => frames.length === 1 && frames[0].rows > 20,
  ],
  [
    { queryType: 'metrics', host: 'mail-2', series: 'disk.*', statistic: 'all', forecast: true },
    (frames) => frames.length === 2 + 2 * 4,
  ],
  [{ queryType: 'metrics', series: 'cpu.busy_percent' }, (frames) => frames.length >= 1],
  [{ queryType: 'votes', host: 'mail-2' }, (frames) => frames.length === 2 && frames[0].fields.includes('trend')],
  [{ queryType: 'processes' }, (frames) => frames.length === 1],
  [{ queryType: 'record' }, (frames) => frames[0].fields.includes('median lead')],
  [{ queryType: 'alerts' }, (frames) => frames[0].rows >= 1],
  [{ queryType: 'alerts', format: 'count' }, (frames) => frames[0].fields.includes('quieted')],
  [{ queryType: 'agents' }, (frames) => frames[0].rows === 3],
  [{ queryType: 'annotations' }, (frames) => frames[0].rows === 3 && frames[0].fields.includes('timeEnd')],
  [{ queryType: 'runs' }, (frames) => frames.length === 1],
];

export async function answers(context) {
  const { grafana, stage } = context;
  await during(grafana, { role: 'Viewer', key: stage.keys.read }, () =>
    visit(context, { role: 'Viewer' }, async (page) => {
      for (const [query, isRight] of QUERIES) {
        const answer = await page.evaluate((query) => window.stage.query([query]), query);
        assert.equal(answer.error, undefined, JSON.stringify(query));
        assert.ok(isRight(answer.frames), `${JSON.stringify(query)}: ${JSON.stringify(answer)}`);
      }
      const ask = (query) => page.evaluate((query) => window.stage.variable(query), query);
      const hosts = await ask({ refId: 'V', kind: 'hosts' });
      assert.deepEqual(
        hosts.data.map(({ text }) => text),
        ['db-1', 'mail-2', 'web-3']
      );
      const series = await ask({ refId: 'V', kind: 'series', host: 'mail-2', match: 'disk' });
      assert.deepEqual(
        series.data.map(({ text }) => text),
        ['disk.inodes_used_percent{/var/spool}', 'disk.used_percent{/var/spool}']
      );
    })
  );
}

export async function health(context) {
  const { grafana, stage } = context;
  const told = async (change) => {
    let answer;
    await during(grafana, change, () =>
      visit(context, {}, async (page) => {
        answer = await page.evaluate(() => window.stage.health());
      })
    );
    return answer;
  };
  const good = await told({ key: stage.keys.sandbox });
  assert.equal(good.status, 'success');
  assert.match(good.message, /3 servers enrolled, 3 active predictions/);
  assert.match((await told({ key: 'arki_key_wrong' })).message, /does not know this API key/);
  assert.match((await told({ key: stage.keys.read, hubUrl: 'http://127.0.0.1:1' })).message, /cannot reach the hub/);
}

export async function secret(context) {
  const { grafana, stage } = context;
  const call = async (method, path) => {
    const answer = await fetch(`${grafana.url}/api/datasources/proxy/uid/arki/${path}`, { method });
    return { status: answer.status, text: await answer.text() };
  };
  await during(grafana, { key: stage.keys.sandbox }, async () => {
    assert.equal((await call('GET', 'v1/agents')).status, 200);
    for (const [method, path] of [
      ['GET', 'v1/tokens'],
      ['POST', 'v1/tokens'],
      ['DELETE', 'v1/agents/0'],
      ['POST', 'v1/hooks/sandbox'],
      ['GET', 'metrics'],
    ]) {
      assert.equal((await call(method, path)).status, 502, `${method} ${path}`);
    }
    for (const path of ['v1/agents', 'v1/predictions', 'v1/alerts']) {
      assert.ok(!(await call('GET', path)).text.includes(stage.keys.sandbox), path);
    }
  });
}
