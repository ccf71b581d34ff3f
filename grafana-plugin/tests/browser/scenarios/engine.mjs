/**
 * A trial on a real container engine, from the button to its end: chosen, watched, read, decided, and applied on the host.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import path from 'node:path';
import { containersOf, HOST } from '../sandbox.mjs';
import { until } from '../waiting.mjs';
import { runsOf } from './trial.mjs';
import { during, showPanel, visit } from './visit.mjs';

/** The fix that is applied, and the one that is dismissed. */
const APPLIED = 'mail-2 disk.used_percent{/var/spool}';
const DISMISSED = 'mail-2 disk.inodes_used_percent{/var/spool}';
/** A hub waits 45 s for a host's configuration. */
const PATIENCE = { timeout: 60_000 };
/** The drawer scrolls; a picture of it shows all. */
const TALL = 1500;

export async function trials(context) {
  const { grafana, stage } = context;
  await during(grafana, { role: 'Editor', key: stage.keys.sandbox, calls: [] }, async () => {
    await visit(context, { theme: 'dark', height: TALL }, (page) => applies(context, page));
    await visit(context, { theme: 'light', height: TALL }, (page) => dismisses(context, page));
    await visit(context, { theme: 'light', height: TALL }, (page) =>
      looksAgain(context, page, APPLIED, 'trial-applied-light')
    );
    await visit(context, { theme: 'dark', height: TALL }, (page) =>
      looksAgain(context, page, DISMISSED, 'trial-dismissed-dark')
    );
  });
  await during(grafana, { role: 'Viewer', key: stage.keys.sandbox }, () =>
    visit(context, { role: 'Viewer', height: TALL }, (page) => onlyLooks(context, page))
  );
  assert.equal(await containersOf(stage.engine, await runsOf(stage)), '', 'a container was left');
}

async function applies({ stage, screenshots }, page) {
  const shot = (name) => picture(page, screenshots, `${name}-dark`);
  await showPanel(page);
  await page.getByRole('button', { name: `Try a fix: ${APPLIED}` }).click();
  await choose(page, /Mail spool: Empty the debug log/);
  await page.getByText('suggested for this series').first().waitFor();
  await shot('trial-choice');
  await page.getByRole('button', { name: 'Try it on a copy' }).click();
  await stands(page, 'queued');
  await stage.startRunner();
  // it waits for the host's configuration
  await stands(page, 'running on the copy');
  await shot('trial-progress');
  await stage.resume(HOST);

  await page.getByText('It worked: effect measured').waitFor(PATIENCE);
  assert.deepEqual(await measured(page, 'Size of the debug log'), ['307 kB', '0 B', '307 kB', '307 kB']);
  await page.getByText('the configuration of the host, 1 file').waitFor();
  assert.equal((await fs.stat(stage.service.log)).size, 300_000, 'the host was not touched');
  const apply = page.getByRole('button', { name: 'Apply it' });
  assert.ok(await apply.isDisabled(), 'not without a reason');
  await page.getByLabel('Your decision').fill('It frees the deleted log.');
  await shot('trial-decision');
  await apply.click();
  await page.getByText(/^To be applied by ada/).waitFor();
  await page.getByText('The agent is asked').waitFor();
  await stage.resume(HOST);
  await page.getByText('Applied on the host').waitFor(PATIENCE);
  await page.getByText('The prediction still stands.').waitFor();
  assert.equal((await fs.stat(stage.service.log)).size, 0, 'the host has the fix');
  await shot('trial-applied');
  const [run] = await runsOf(stage);
  assert.deepEqual([run.decision.name, run.decision.reason], ['ada', 'It frees the deleted log.']);
  await page.keyboard.press('Escape');
  await page.getByRole('table', { name: 'Predictions' }).getByText('to be applied').waitFor();
}

/** A second look at what was cancelled before: another fix, of a service whose configuration the host does not give. */
async function dismisses({ stage, screenshots }, page) {
  const shot = (name) => picture(page, screenshots, `${name}-light`);
  await showPanel(page);
  await page.getByRole('button', { name: `Trial: ${DISMISSED}` }).click();
  await page.getByRole('button', { name: 'Try something else' }).click();
  await choose(page, /Open the log files anew/);
  await shot('trial-choice');
  await page.getByRole('button', { name: 'Try it on a copy' }).click();
  await stands(page, 'running on the copy');
  await shot('trial-progress');
  await stage.resume(HOST);

  await page.getByText('It worked: effect measured').waitFor(PATIENCE);
  assert.deepEqual(await measured(page, 'The access log is there'), ['no', 'yes', 'no', 'no']);
  await page.getByText(/the image's was used, because the agent sends no snapshot/).waitFor();
  const reason = page.getByLabel('Your decision');
  await reason.pressSequentially('It frees space,');
  // a line of its own is written as a blank
  await reason.press('Enter');
  await reason.pressSequentially('but no inode.');
  assert.ok(await page.getByRole('button', { name: 'Apply it' }).isDisabled(), "it is not the host's configuration");
  await shot('trial-decision');
  await page.getByRole('button', { name: 'Dismiss it' }).click();
  await page.getByText(/^Dismissed by ada/).waitFor();
  await page.getByText('It frees space, but no inode.').waitFor();
  await shot('trial-dismissed');
  const [run] = await runsOf(stage);
  assert.deepEqual(
    [run.decision.decision, run.decision.name, run.decision.reason],
    ['dismiss', 'ada', 'It frees space, but no inode.']
  );
  // what was cancelled before is still at hand, after what was decided on
  const trials = page.getByRole('list', { name: /^Trials of this prediction/ }).getByRole('button');
  assert.equal(await trials.count(), 2);
  assert.match(await trials.first().textContent(), /dismissed/);
  await trials.last().click();
  await page.getByText(/^Dismissed by ada/).waitFor({ state: 'detached' });
  await trials.first().click();
  await page.getByText(/^Dismissed by ada/).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('table', { name: 'Predictions' }).getByText('dismissed').waitFor();
}

async function looksAgain({ screenshots }, page, about, name) {
  await showPanel(page);
  await page.getByRole('button', { name: `Trial: ${about}` }).click();
  await page.getByText('It worked: effect measured').waitFor();
  await picture(page, screenshots, name);
}

/** A Viewer sees what came of it, can do nothing, and gets nothing done past the page either. */
async function onlyLooks({ grafana, stage }, page) {
  await showPanel(page);
  await page.getByRole('button', { name: `Trial: ${DISMISSED}` }).click();
  await page.getByText(/^Dismissed by ada/).waitFor();
  for (const name of ['Try something else', 'Try it on a copy', 'Apply it', 'Dismiss it', 'Cancel it']) {
    assert.equal(await page.getByRole('button', { name }).count(), 0, name);
  }
  const before = await runsOf(stage);
  const proxy = `${grafana.url}/api/datasources/proxy/uid/arki/v1/sandbox/runs`;
  const body = JSON.stringify({ service: 'nginx', action: 'reload' });
  for (const path of ['', `/${before[0].id}/cancel`, `/${before[0].id}/decision`]) {
    assert.equal((await fetch(proxy + path, { method: 'POST', body })).status, 403, path);
  }
  assert.deepEqual(await runsOf(stage), before);
}

/** With the drawer all the way in. */
function picture(page, screenshots, name) {
  return page.screenshot({ path: path.join(screenshots, `${name}.png`), animations: 'disabled' });
}

async function choose(page, name) {
  await page.getByRole('radio', { name }).check();
}

async function stands(page, word) {
  const now = page.getByRole('list', { name: 'Progress' }).locator('[aria-current=step]');
  await until(`the run is at "${word}"`, async () => (await now.innerText()).trim() === word);
}

/** Before and after on the copy that was tried on, before and after on the one that was left alone. */
function measured(page, title) {
  const table = page.getByRole('table', { name: 'Before and after' });
  return table.getByRole('row', { name: title }).getByRole('cell').allInnerTexts();
}
