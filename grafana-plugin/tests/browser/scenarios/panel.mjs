import assert from 'node:assert/strict';
import path from 'node:path';
import { during, showPanel, visit } from './visit.mjs';

const FIRST = 'Evidence: mail-2 disk.inodes_used_percent{/var/spool}';

export async function inBothThemes(context) {
  const { grafana, stage, screenshots } = context;
  for (const theme of ['dark', 'light']) {
    await during(grafana, { key: stage.keys.sandbox }, () =>
      visit(context, { theme, height: 460 }, async (page) => {
        await showPanel(page);
        const rows = page.getByRole('table', { name: 'Predictions' }).getByRole('rowheader');
        await rows.first().waitFor();
        assert.deepEqual(
          (await rows.allInnerTexts()).map((text) => text.split('\n').slice(0, 2).join(' ')),
          [
            'mail-2 disk.inodes_used_percent{/var/spool}',
            'mail-2 disk.used_percent{/var/spool}',
            'db-1 disk.used_percent{/var/lib/postgresql}',
          ]
        );
        assert.match(await page.getByRole('timer').first().getAttribute('aria-label'), /^fails in .* between .* and /);
        assert.equal(await page.getByRole('img', { name: 'trend yes' }).count(), 3);
        await page.getByRole('button', { name: FIRST }).click();
        await page.getByText('learning 0/14 d').waitFor();
        // the past has come: the evidence's picture has its line
        await page.locator('figure svg path').nth(2).waitFor({ state: 'attached' });
        await page.mouse.move(0, 0);
        await page.screenshot({ path: path.join(screenshots, `predictions-${theme}.png`) });
      })
    );
  }
  await during(grafana, { key: stage.keys.read }, () =>
    visit(context, { role: 'Viewer', width: 520, height: 460 }, async (page) => {
      await showPanel(page, { width: 480 });
      await page.getByRole('timer').first().waitFor();
      await page.screenshot({ path: path.join(screenshots, 'predictions-narrow.png') });
    })
  );
}

export async function accessibility(context) {
  const { grafana, stage } = context;
  await during(grafana, { key: stage.keys.sandbox }, () =>
    visit(context, {}, async (page) => {
      await showPanel(page);
      const toggle = page.getByRole('button', { name: FIRST });
      await toggle.waitFor();
      assert.equal(await toggle.getAttribute('aria-expanded'), 'false');
      await toggle.focus();
      await page.keyboard.press('Enter');
      await page.getByText('learning 0/14 d').waitFor();
      assert.equal(await toggle.getAttribute('aria-expanded'), 'true');
      assert.ok(await page.evaluate(() => document.activeElement?.getAttribute('aria-expanded') === 'true'));
      // the list can be scrolled with the keyboard, and has a name
      assert.equal(await page.getByRole('region', { name: /most urgent first/ }).getAttribute('tabindex'), '0');
      // every button has a name
      const names = await page
        .getByRole('button')
        .evaluateAll((all) => all.map((one) => one.getAttribute('aria-label') ?? one.textContent));
      assert.ok(names.every((name) => name !== null && name.trim() !== ''));
      assert.match(await page.getByText(/predictions, .* critical/).innerText(), /^3 predictions, \d critical/);
    })
  );
}

/** Five hundred predictions, made of the real ones. */
async function many({ url, keys }) {
  const answer = await fetch(`${url}/v1/predictions`, { headers: { Authorization: `Bearer ${keys.read}` } });
  const { items } = await answer.json();
  return Array.from({ length: 500 }, (_, i) => {
    const of = items[i % items.length];
    // hours are left: such a countdown changes once a minute
    const raised_at = of.raised_at + 36_000 + i * 60;
    const fails_at = raised_at + Math.round(of.eta_seconds);
    const severity = ['critical', 'warning', 'warning', 'info'][i % 4];
    return {
      ...of,
      id: `${of.id.slice(0, -4)}${String(i).padStart(4, '0')}`,
      host: `node-${i}`,
      severity,
      raised_at,
      fails_at,
    };
  });
}

export async function manyRows(context) {
  const { grafana, stage, screenshots } = context;
  const items = await many(stage);
  const standIn = (method, path) => (path === 'v1/predictions' ? { body: { items } } : undefined);
  await during(grafana, { key: stage.keys.sandbox, standIn }, () =>
    visit(context, { height: 700 }, async (page) => {
      await showPanel(page, { height: 660 });
      await page.getByText('1 to 25 of 500').waitFor();
      assert.equal(await page.getByRole('rowheader').count(), 25);
      await page.screenshot({ path: path.join(screenshots, 'predictions-500.png') });
      // icons are fetched one by one and come into the rows when they are there: the same number a second later is all of them
      const icons = () => {
        const [before, now] = [window.icons, document.querySelectorAll('table svg').length];
        window.icons = now;
        return now > 0 && before === now;
      };
      await page.waitForFunction(icons, undefined, { polling: 1_000 });
      // nobody asks the hub meanwhile, so only countdowns could change: those of hours do once a minute, and so do the two
      // ends of their intervals, each at a second of its own
      await page.evaluate(() => {
        window.outside = [];
        window.turns = new Map();
        const watch = new MutationObserver((all) => {
          const timers = new Set();
          for (const { target } of all) {
            const element = target instanceof Element ? target : target.parentElement;
            const timer = element?.closest('[role=timer]');
            timer ? timers.add(timer) : window.outside.push(element?.outerHTML);
          }
          timers.forEach((timer) => window.turns.set(timer, (window.turns.get(timer) ?? 0) + 1));
        });
        const table = document.querySelector('table');
        watch.observe(table, { subtree: true, childList: true, characterData: true, attributes: true });
      });
      await page.waitForTimeout(8_000);
      const { outside, most } = await page.evaluate(() => ({
        outside: window.outside,
        most: Math.max(0, ...window.turns.values()),
      }));
      assert.deepEqual(outside, []);
      assert.ok(most <= 3, `a countdown changed ${most} times in eight seconds`);
      await page.getByRole('button', { name: '2', exact: true }).click();
      await page.getByText('26 to 50 of 500').waitFor();
      await page.getByLabel('Find a host or series').fill('node-77');
      await page.getByRole('rowheader', { name: /^node-77/ }).waitFor();
      assert.equal(await page.getByRole('rowheader').count(), 1);
    })
  );
}
