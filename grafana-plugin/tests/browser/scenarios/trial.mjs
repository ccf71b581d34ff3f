import assert from 'node:assert/strict';
import path from 'node:path';
import { standIn } from '../standin.mjs';
import { during, showPanel, visit } from './visit.mjs';

const BUTTON = 'Try a fix: mail-2 disk.used_percent{/var/spool}';

async function runsOf({ url, keys }) {
  const answer = await fetch(`${url}/v1/sandbox/runs`, { headers: { Authorization: `Bearer ${keys.sandbox}` } });
  return (await answer.json()).items;
}

/** Nobody has tried anything for this one yet. */
const UNTRIED = 'Try a fix: db-1 disk.used_percent{/var/lib/postgresql}';

async function press(page, button = UNTRIED) {
  await showPanel(page);
  await page.getByRole('button', { name: button }).click();
  await page.getByRole('button', { name: 'Try it on a copy' }).click();
}

export async function editorStarts(context) {
  const { grafana, stage } = context;
  await during(grafana, { role: 'Editor', key: stage.keys.sandbox }, () =>
    visit(context, { role: 'Editor' }, async (page) => {
      assert.equal((await runsOf(stage)).length, 0);
      await press(page, BUTTON);
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

export async function resultAndDecision(context) {
  const { grafana, stage, screenshots } = context;
  for (const theme of ['dark', 'light']) {
    await during(grafana, { role: 'Editor', key: stage.keys.sandbox, standIn: standIn() }, () =>
      visit(context, { theme, height: 900 }, async (page) => {
        await showPanel(page);
        await page.getByRole('button', { name: BUTTON }).click();
        await page.getByText('suggested for this series').first().waitFor();
        await page.screenshot({ path: path.join(screenshots, `trial-choice-${theme}.png`) });
        await page.getByRole('button', { name: 'Try it on a copy' }).click();
        await page.getByText('It worked: effect measured').waitFor();
        await page.screenshot({ path: path.join(screenshots, `trial-${theme}.png`) });
        const apply = page.getByRole('button', { name: 'Apply it' });
        assert.ok(await apply.isDisabled());
        await page.getByLabel('Your decision').fill('It frees the deleted log.');
        await page.screenshot({ path: path.join(screenshots, `trial-decision-${theme}.png`) });
        await apply.click();
        await page.getByText(/^To be applied by ada/).waitFor();
        await page.getByText('The failure is averted.').waitFor();
        await page.screenshot({ path: path.join(screenshots, `trial-applied-${theme}.png`) });
        await page.keyboard.press('Escape');
        await page.getByRole('table').getByText('to be applied').waitFor();
      })
    );
  }
}
