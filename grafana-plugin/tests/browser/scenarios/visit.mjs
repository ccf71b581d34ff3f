/**
 * Opens the page as somebody, and closes it; a script error on it is a failure. What a failure looked like is kept
 * beside the other pictures.
 */
import assert from 'node:assert/strict';
import path from 'node:path';

/** What the page's own stand-ins lack: fonts that Grafana serves, and answers that a scenario refuses on purpose. */
const EXPECTED = /Failed to load resource/;

export async function visit(
  { browser, grafana, screenshots },
  { theme = 'dark', role = 'Editor', width = 1280, height = 800 },
  work
) {
  const page = await browser.newPage({ viewport: { width, height } });
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error.stack)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !EXPECTED.test(message.text())) {
      errors.push(message.text());
    }
  });
  page.setDefaultTimeout(20_000);
  try {
    await page.goto(`${grafana.url}/?theme=${theme}&role=${role}`);
    await page.waitForFunction(() => window.stage !== undefined);
    await work(page);
  } catch (error) {
    await page.screenshot({ path: path.join(screenshots, 'failed.png') });
    throw error;
  } finally {
    await page.close();
  }
  assert.deepEqual(errors, []);
}

/** Sets what Grafana's server does for the length of `work`. */
export async function during(grafana, change, work) {
  const before = { ...grafana.state };
  Object.assign(grafana.state, change);
  try {
    await work();
  } finally {
    Object.assign(grafana.state, before);
  }
}

export function showPanel(page, { target = {}, options = {}, width = 1240, height = 420 } = {}) {
  return page.evaluate(
    ([target, options, size]) =>
      window.stage.panel({ queryType: 'predictions', state: 'active', ...target }, options, size),
    [target, options, { width, height }]
  );
}
