import { of, throwError } from 'rxjs';
import { HubClient } from './client';
import { problemOf } from './problem';

const fetch = jest.fn();
jest.mock('@grafana/runtime', () => ({ getBackendSrv: () => ({ fetch }) }));

beforeEach(() => fetch.mockReset());

test('each refusal says what to do', () => {
  const kind = (status: number, data?: unknown) => problemOf({ status, data }).kind;
  expect(kind(401)).toBe('key');
  expect(kind(400, 'Authentication to data source failed')).toBe('key');
  expect(kind(403, { message: 'plugin proxy route access denied' })).toBe('role');
  expect(kind(403, { detail: 'this needs a key with the scope sandbox; yours has read' })).toBe('scope');
  expect(kind(404, { detail: 'there is no such run' })).toBe('missing');
  expect(kind(503, { detail: 'the database cannot be used now; try again' })).toBe('busy');
  expect(kind(502)).toBe('unreachable');
  expect(kind(500)).toBe('broken');
  expect(problemOf({ status: 422, data: { detail: 'there is no profile "x"' } }).message).toBe(
    'There is no profile "x".'
  );
  expect(problemOf(new TypeError('odd')).kind).toBe('unreachable');
});

test('a list is read page by page up to the limit', async () => {
  const page = (items: number[], next?: string) => of({ data: { items, next } });
  fetch.mockReturnValueOnce(page([1, 2], '2')).mockReturnValueOnce(page([3, 4], '4'));
  const rows = await new HubClient('/proxy').list<number>('v1/x', { host: 'a', state: '' }, 4);
  expect(rows).toEqual({ items: [1, 2, 3, 4], isCut: true });
  expect(fetch.mock.calls.map(([{ url, params }]) => [url, params])).toEqual([
    ['/proxy/v1/x', { host: 'a', limit: 4 }],
    ['/proxy/v1/x', { host: 'a', limit: 2, after: '2' }],
  ]);
});

test('a list ends where no later row can matter, and where it is over', async () => {
  fetch.mockReturnValueOnce(of({ data: { items: [5, 1], next: '1' } }));
  const hub = new HubClient('/proxy');
  expect(await hub.list<number>('x', {}, 10, (row) => row < 3)).toEqual({ items: [5, 1], isCut: false });
  fetch.mockReturnValueOnce(of({ data: { items: [7] } }));
  expect(await hub.list<number>('x', {}, 10)).toEqual({ items: [7], isCut: false });
});

test('what fails is a problem, and Grafana shows no pop-up of its own', async () => {
  fetch.mockReturnValueOnce(throwError(() => ({ status: 403, data: { message: 'plugin proxy route access denied' } })));
  await expect(new HubClient('/proxy').post('v1/sandbox/runs', {})).rejects.toThrow('needs the role Editor');
  expect(fetch.mock.calls[0][0]).toMatchObject({ method: 'POST', showErrorAlert: false });
});
