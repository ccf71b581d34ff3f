/**
 * What is tried in the browser, in order.
 */
import { app, setup } from './scenarios/app.mjs';
import { trials } from './scenarios/engine.mjs';
import { accessibility, inBothThemes, manyRows } from './scenarios/panel.mjs';
import { answers, health, secret } from './scenarios/source.mjs';
import { empty, stale, unreachable } from './scenarios/states.mjs';
import { editorStarts, hubRefuses, viewerHasNoButton, viewerIsRefused } from './scenarios/trial.mjs';

export const scenarios = {
  'the data source answers every kind of query': answers,
  'the health check says what is wrong': health,
  'only the listed paths lead to the hub, and the key never comes back': secret,
  'the panel shows the predictions of the hub in dark and light': inBothThemes,
  'the panel is used with the keyboard, and says what it shows': accessibility,
  'five hundred predictions come in pages, and nothing renders that does not change': manyRows,
  'no prediction is said to be good': empty,
  'a hub that does not answer is said, and what was known stays': stale,
  'a hub that never answered is said': unreachable,
  'as Editor the button starts a run on the hub': editorStarts,
  'as Viewer there is no button': viewerHasNoButton,
  'as Viewer the proxy refuses the call': viewerIsRefused,
  'a key that only reads is refused by the hub': hubRefuses,
  'the fleet page shows the hosts at risk first': app,
  'the set-up page checks the address': setup,
};

/** What takes a container engine, and an agent that is awake. */
export const withEngine = {
  'a trial on real containers: progress, result beside the control copy, dismissed, applied on the host': trials,
};
