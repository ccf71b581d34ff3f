import assert from 'node:assert/strict';
import path from 'node:path';
import { during, showPanel, visit } from './visit.mjs';

export async function empty(context) {
  const { grafana, stage, screenshots } = context;
  await during(grafana, { key: stage.keys.read }, () =>
    visit(context, { height: 320 }, async (page) => {
      await showPanel(page, { target: { host: 'web-3' }, height: 280 });
      await page.getByText('Nothing is predicted to fail').waitFor();
      await page.screenshot({ path: path.join(screenshots, 'empty.png') });
    })
  );
}

export async function stale(context) {
  const { grafana, stage, screenshots } = context;
  await during(grafana, { key: stage.keys.read }, () =>
    visit(context, { height: 460 }, async (page) => {
      await showPanel(page);
      await page.getByRole('timer').first().waitFor();
      grafana.state.hubUrl = 'http://127.0.0.1:1';
      const alert = page.getByRole('alert').filter({ hasText: 'cannot reach the hub' });
      await alert.waitFor();
      assert.match(await alert.innerText(), /Shown is what it said .* ago/);
      assert.equal(await page.getByRole('timer').count(), 3);
      await page.screenshot({ path: path.join(screenshots, 'stale.png') });
    })
  );
}

export async function unreachable(context) {
  const { grafana, stage } = context;
  await during(grafana, { key: stage.keys.read, hubUrl: 'http://127.0.0.1:1' }, () =>
    visit(context, { height: 320 }, async (page) => {
      await showPanel(page, { height: 280 });
      await page.getByText('The predictions cannot be shown').waitFor();
      await page.getByText(/Check the hub address/).waitFor();
    })
  );
}
