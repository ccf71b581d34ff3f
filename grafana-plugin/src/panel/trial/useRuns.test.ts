import { act, renderHook, waitFor } from '@testing-library/react';
import { HubClient } from '../../hub/client';
import { Run } from '../../hub/sandbox';
import { prediction, run } from '../../testing/samples';
import { useRuns } from './useRuns';

const ROWS = [prediction({ id: 'p', first_at: 10_000 })];
const mine = (id: string, given: Partial<Run> = {}) => run({ id, prediction: 'p', created_at: 11_000, ...given });

/** A hub whose lists a test answers one by one. */
function hub() {
  const client = new HubClient('/proxy');
  const calls: Array<{ give: (items: Run[], next?: string) => void; fail: (status: number) => void }> = [];
  jest.spyOn(client, 'get').mockImplementation(
    () =>
      new Promise((resolve, reject) => {
        calls.push({
          give: (items, next) => resolve({ items, next } as never),
          fail: (status) => reject({ status }),
        });
      })
  );
  return { client, calls };
}

function start() {
  const { client, calls } = hub();
  const { result, rerender } = renderHook(({ question, turn }) => useRuns(client, question, turn, ROWS), {
    initialProps: { question: 'a', turn: 0 },
  });
  const ids = () => result.current.of.get('p')?.map(({ id }) => id);
  return { calls, result, rerender, ids };
}

test('a list that fails leaves what was known, and says why', async () => {
  const { calls, result, rerender, ids } = start();
  await act(async () => calls[0]?.give([mine('r1')]));
  expect(ids()).toEqual(['r1']);
  rerender({ question: 'a', turn: 1 });
  await act(async () => calls[1]?.fail(502));
  expect(ids()).toEqual(['r1']);
  expect(result.current.problem).toMatch(/cannot reach the hub/);
  rerender({ question: 'a', turn: 2 });
  await act(async () => calls[2]?.give([mine('r1')]));
  expect(result.current.problem).toBeUndefined();
});

test('a hub without a sandbox, or a key that may not see it, has no runs, which is no problem', async () => {
  for (const status of [403, 404]) {
    const { calls, result } = start();
    await act(async () => calls[0]?.fail(status));
    expect([result.current.of.size, result.current.problem]).toEqual([0, undefined]);
  }
});

test('a list that was asked for before a run began does not undo it', async () => {
  const { calls, result, rerender, ids } = start();
  act(() => result.current.put(mine('new', { state: 'running' })));
  act(() => result.current.put(mine('old', { state: 'done', created_at: 10_500 })));
  await act(async () => calls[0]?.give([mine('old', { state: 'queued', created_at: 10_500 })]));
  expect(ids()).toEqual(['new', 'old']);
  expect(result.current.of.get('p')?.map(({ state }) => state)).toEqual(['running', 'done']);
  // a later list knows better
  rerender({ question: 'a', turn: 1 });
  await act(async () => calls[1]?.give([mine('new', { state: 'done' })]));
  expect(result.current.of.get('p')?.map(({ state }) => state)).toEqual(['done', 'done']);
});

test('the runs of another hub are not shown', async () => {
  const { calls, result, rerender, ids } = start();
  await act(async () => calls[0]?.give([mine('r1')]));
  act(() => result.current.put(mine('r2')));
  rerender({ question: 'b', turn: 0 });
  expect(ids()).toBeUndefined();
  await act(async () => calls[1]?.give([mine('r3')]));
  expect(ids()).toEqual(['r3']);
});

test('pages are read until the runs are older than every prediction', async () => {
  const { calls, ids } = start();
  await act(async () => calls[0]?.give([mine('r1')], 'more'));
  await waitFor(() => expect(calls).toHaveLength(2));
  await act(async () =>
    calls[1]?.give([mine('r2', { created_at: 10_900 }), run({ id: 'older', created_at: 6_000 })], 'more')
  );
  expect(ids()).toEqual(['r1', 'r2']);
  expect(calls).toHaveLength(2);
});
