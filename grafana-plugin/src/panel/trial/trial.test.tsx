import React from 'react';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { HubClient } from '../../hub/client';
import { Application, Measured, ranked, TrialCopy, TrialResult } from '../../hub/sandbox';
import { run } from '../../testing/samples';
import { ApplicationNote } from './ApplicationNote';
import { DecisionForm } from './DecisionForm';
import { Measures } from './Measures';
import { Others } from './Others';

function copy(measures: Measured[]): TrialCopy {
  return {
    steps: [],
    measures,
    healthy_before: true,
    healthy_after: null,
    memory_bytes_before: 4_400_000,
    memory_bytes_after: null,
    out_of_memory: false,
    stopped: null,
  };
}

function result(given: Partial<TrialResult> = {}): TrialResult {
  return {
    outcome: 'succeeded',
    summary: '',
    fidelity: 'effect measured',
    proves: [],
    does_not_prove: [],
    undo: '',
    argv: ['nginx', '-s', 'reopen'],
    applicable: true,
    configuration: { source: 'snapshot', files: 1, taken_at: null, reason: '' },
    tried: copy([]),
    control: copy([]),
    duration_ms: 1,
    ...given,
  };
}

test('a measure that succeeds or fails is yes or no, bytes have their unit, what is unknown is a dash', () => {
  const measure = (kind: Measured['kind'], unit: string, before: Measured['before'], after: Measured['after']) => ({
    name: kind,
    title: kind,
    kind,
    unit,
    before,
    after,
  });
  const tried = copy([
    measure('success', '', 0, 1),
    measure('number', 'B', 307_200, 0),
    measure('text', '', '12', null),
  ]);
  render(<Measures result={result({ tried, control: copy([measure('success', '', 0, 0)]) })} />);
  const line = (name: string) =>
    [...screen.getByRole('row', { name: new RegExp(`^${name} `) }).querySelectorAll('td')].map(
      (cell) => cell.textContent
    );
  expect(line('success')).toEqual(['no', 'yes', 'no', 'no']);
  expect(line('number')).toEqual(['307 kB', '0 B', '–', '–']);
  expect(line('text')).toEqual(['12', '–', '–', '–']);
  expect(line('Healthy')).toEqual(['yes', '–', 'yes', '–']);
});

describe('several trials of one prediction', () => {
  const automatic = (id: string, score: number | null) => run({ id, score, action: id, requested_by: 'automatic' });
  const less = automatic('flush-logs', 3.2);
  const more = automatic('purge-binary-logs', 3.7);

  test('are ranked: the decision, what a person asked for, and the rest by what it changed', () => {
    const decided = automatic('decided', 1);
    decided.decision = { decision: 'dismiss', name: 'ada', reason: 'no', at: 0 };
    const asked = run({ id: 'asked', score: 0, created_at: 5 });
    const before = run({ id: 'before', score: 3.9, created_at: 4 });
    const all = [automatic('running', null), less, before, more, asked, decided];
    const names = ['decided', 'asked', 'before', 'purge-binary-logs', 'flush-logs', 'running'];
    expect(ranked(all).map(({ id }) => id)).toEqual(names);
  });

  test('are all at hand, the best first', async () => {
    const onShow = jest.fn();
    render(<Others runs={[more, less]} shown={more.id} onShow={onShow} />);
    const buttons = screen.getAllByRole('button');
    expect(buttons.map((button) => [button.textContent, button.getAttribute('aria-current')])).toEqual([
      ['nginx: purge-binary-logsworkedeffect measured', 'true'],
      ['nginx: flush-logsworkedeffect measured', 'false'],
    ]);
    await userEvent.click(buttons[1] as HTMLElement);
    expect(onShow).toHaveBeenCalledWith(less.id);
  });
});

describe('the decision', () => {
  const decided = run({ decision: { decision: 'dismiss', name: 'ada', reason: 'no', at: 0 } });
  const show = (given: Partial<TrialResult> = {}, changed = false) => {
    const hub = new HubClient('/proxy');
    const post = jest.spyOn(hub, 'post').mockResolvedValue(decided as never);
    const onRun = jest.fn();
    const tried = run({ result: result(given), drift: { changed, taken_at: 0 } });
    render(<DecisionForm hub={hub} run={tried} user="ada" onRun={onRun} />);
    return { post, onRun };
  };
  const [apply, dismiss, reason] = [
    () => screen.getByRole('button', { name: 'Apply it' }),
    () => screen.getByRole('button', { name: 'Dismiss it' }),
    () => screen.getByRole('textbox', { name: /Your decision/ }),
  ];
  const isClosed = (button: HTMLElement) => button.matches(':disabled, [aria-disabled=true]');

  test('needs a reason, which is sent as one line', async () => {
    const { post, onRun } = show();
    expect([apply(), dismiss()].map(isClosed)).toEqual([true, true]);
    await userEvent.type(reason(), ' frees space,{enter}but no inode ');
    expect([apply(), dismiss()].map(isClosed)).toEqual([false, false]);
    await userEvent.click(dismiss());
    await waitFor(() => expect(onRun).toHaveBeenCalledWith(decided));
    expect(post.mock.calls[0]?.[1]).toEqual({
      decision: 'dismiss',
      name: 'ada',
      reason: 'frees space, but no inode',
    });
  });

  test('takes no reason that is longer than the hub takes', () => {
    show();
    fireEvent.change(reason(), { target: { value: 'ü'.repeat(501) } });
    expect(isClosed(dismiss())).toBe(true);
    expect(screen.getByRole('alert')).toHaveTextContent('1000 bytes at most');
  });

  test.each([
    ['what did not help', { outcome: 'failed' }, false],
    ['what the profile does not allow', { applicable: false }, false],
    [
      'what was not the configuration of the host',
      { configuration: { source: 'image', files: 0, taken_at: null, reason: '' } },
      false,
    ],
    ['what has changed since', {}, true],
  ] as Array<[string, Partial<TrialResult>, boolean]>)('cannot be to apply %s', (_, given, changed) => {
    show(given, changed);
    fireEvent.change(reason(), { target: { value: 'why not' } });
    expect([apply(), dismiss()].map(isClosed)).toEqual([true, false]);
  });
});

test.each([
  ['waiting', 'The agent is asked', null],
  ['expired', 'Nothing was done', null],
  ['done', 'Applied on the host', 'The failure is averted.'],
  ['refused', 'The agent refused it', null],
  ['failed', 'and it failed', 'The failure is averted.'],
] as Array<[Application['state'], string, string | null]>)('what became of it: %s', (state, title, after) => {
  const application: Application = {
    state,
    asked_at: 0,
    answered_at: null,
    detail: 'exit code 0',
    report: null,
    prediction: after === null ? null : 'averted',
  };
  render(<ApplicationNote application={application} host="web-1" />);
  expect(screen.getByRole(/waiting|done/.test(state) ? 'status' : 'alert')).toHaveTextContent(title);
  expect(screen.queryAllByText('The failure is averted.')).toHaveLength(after === null ? 0 : 1);
});
