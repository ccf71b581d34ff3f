/**
 * The sandbox button: who may press it, and what comes of it.
 */
import assert from 'node:assert/strict';
import { during, showPanel, visit } from './visit.mjs';

const ABOUT = 'mail-2 disk.inodes_used_percent{/var/spool}';
/** Nobody has tried anything for this one yet. */
const UNTRIED = 'db-1 disk.used_percent{/var/lib/postgresql}';

export async function runsOf({ url, keys }) {
  const answer = await fetch(`${url}/v1/sandbox/runs`, { headers: { Authorization: `Bearer ${keys.sandbox}` } });
  return (await answer.json()).items;
}

async function press(page) {
  await showPanel(page);
  await page.getByRole('button', { name: `Try a fix: ${UNTRIED}` }).click();
  await page.getByRole('button', { name: 'Try it on a copy' }).click();
}

/** There is no runner yet: the run waits, and the one who asked for it takes it back. */
export async function editorStarts(context) {
  const { grafana, stage } = context;
  await during(grafana, { role: 'Editor', key: stage.keys.sandbox }, () =>
    visit(context, { role: 'Editor' }, async (page) => {
      assert.equal((await runsOf(stage)).length, 0);
      await showPanel(page);
      await page.getByRole('button', { name: `Try a fix: ${ABOUT}` }).click();
      // no profile names a fix for inodes: none is chosen
      await page.getByText('No profile names a fix for this series').waitFor();
      await page.getByRole('radio', { name: /nginx web server: Reload/ }).check();
      await page.getByRole('button', { name: 'Try it on a copy' }).click();
      await page.getByRole('list', { name: 'Progress' }).getByText('queued').waitFor();
      const [run] = await runsOf(stage);
      assert.equal(run.host, 'mail-2');
      assert.equal(run.state, 'queued');
      await page.getByRole('button', { name: 'Cancel it' }).click();
      await page.getByRole('list', { name: 'Progress' }).getByText('cancelled').waitFor();
      assert.equal((await runsOf(stage))[0].state, 'cancelled');
    })
  );
}

export async function viewerHasNoButton(context) {
  const { grafana, stage } = context;
  await during(grafana, { role: 'Viewer', key: stage.keys.sandbox }, () =>
    visit(context, { role: 'Viewer' }, async (page) => {
      await showPanel(page);
      await page.getByRole('timer').first().waitFor();
      assert.equal(await page.getByRole('button', { name: /^Try a fix/ }).count(), 0);
    })
  );
}

/** The page takes them for an Editor, Grafana's server knows better. */
export async function viewerIsRefused(context) {
  const { grafana, stage } = context;
  const before = await runsOf(stage);
  await during(grafana, { role: 'Viewer', key: stage.keys.sandbox, calls: [] }, () =>
    visit(context, { role: 'Editor' }, async (page) => {
      await press(page);
      await page.getByRole('alert').filter({ hasText: 'this needs the role Editor' }).waitFor();
      assert.equal(grafana.state.calls.filter(({ method }) => method === 'POST').length, 0);
    })
  );
  assert.equal((await runsOf(stage)).length, before.length);
}

export async function hubRefuses(context) {
  const { grafana, stage } = context;
  await during(grafana, { role: 'Editor', key: stage.keys.read, calls: [] }, () =>
    visit(context, { role: 'Editor' }, async (page) => {
      await press(page);
      await page.getByRole('alert').filter({ hasText: 'scope sandbox' }).waitFor();
      const posts = grafana.state.calls.filter(({ method }) => method === 'POST');
      assert.deepEqual(
        posts.map(({ status }) => status),
        [403]
      );
    })
  );
}
