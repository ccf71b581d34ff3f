import assert from 'node:assert/strict';
import path from 'node:path';
import { during, visit } from './visit.mjs';

export async function app(context) {
  const { grafana, stage, screenshots } = context;
  for (const theme of ['dark', 'light']) {
    await during(grafana, { role: 'Viewer', key: stage.keys.read }, () =>
      visit(context, { theme, role: 'Viewer', height: 440 }, async (page) => {
        await page.evaluate(() => window.stage.app());
        const hosts = page.getByRole('table', { name: 'Hosts' }).getByRole('rowheader');
        await hosts.first().waitFor();
        assert.deepEqual(await hosts.allInnerTexts(), ['mail-2', 'db-1', 'web-3']);
        assert.equal(
          await page.getByRole('link', { name: 'mail-2' }).getAttribute('href'),
          '/d/arki-host?var-host=mail-2'
        );
        await page.screenshot({ path: path.join(screenshots, `fleet-${theme}.png`) });
      })
    );
  }
}

export async function setup(context) {
  for (const theme of ['dark', 'light']) {
    await visit(context, { theme, height: 360 }, (page) => entersAddressAndKey(context, page, theme));
  }
}

async function entersAddressAndKey({ screenshots }, page, theme) {
  await page.evaluate(() => window.stage.setup());
  const save = page.getByRole('button', { name: 'Save and test' });
  await page.getByLabel('Hub address').fill('arki-hub:8420');
  await page.getByText(/use http:\/\/ or https:\/\//).waitFor();
  assert.ok(await save.isDisabled());
  await page.getByLabel('Hub address').fill('http://arki-hub:8420/');
  await page.getByLabel('API key').fill('arki_key_x');
  assert.ok(await save.isEnabled());
  await page.screenshot({ path: path.join(screenshots, `setup-${theme}.png`), animations: 'disabled' });
}
