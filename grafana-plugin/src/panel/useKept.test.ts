import { renderHook } from '@testing-library/react';
import { createDataFrame, DataFrame, FieldType, LoadingState, PanelData } from '@grafana/data';
import { setTemplateSrv } from '@grafana/runtime';
import { predictionsFrame } from '../datasource/frames/predictions';
import { prediction } from '../testing/samples';
import { useKept } from './useKept';

const templates = { host: 'web-1' };

beforeEach(() => {
  templates.host = 'web-1';
  setTemplateSrv({ replace: (text: string) => text.replaceAll('$host', templates.host) } as never);
});

const { Done, Error, Loading } = LoadingState;
const frames = (host: string) => [predictionsFrame('A', [prediction({ host })], 0)];

/** A new request each, as Grafana makes it. */
function came(state: LoadingState, series: DataFrame[], uid = 'one'): PanelData {
  const request = { targets: [{ refId: 'A', host: '$host', datasource: { uid } }], endTime: 5_000 };
  return { state, series, request } as never;
}

function show(data: PanelData) {
  const { result, rerender } = renderHook(useKept, { initialProps: data });
  return {
    then: (data: PanelData) => {
      rerender(data);
      return { ...result.current, hosts: result.current.rows?.map(({ host }) => host) };
    },
  };
}

test('rows stay while the same question is asked again, or fails', () => {
  const series = frames('web-1');
  const { then } = show(came(Loading, []));
  expect(then(came(Loading, []))).toMatchObject({ hosts: undefined, isLoading: true, isForeign: false });
  expect(then(came(Done, series))).toMatchObject({ hosts: ['web-1'], at: 5, isLoading: false });
  expect(then(came(Loading, [...series]))).toMatchObject({ hosts: ['web-1'], isLoading: true });
  expect(then(came(Error, []))).toMatchObject({ hosts: ['web-1'], problem: 'The query failed.' });
});

test('rows of another host are not shown, whatever becomes of the new question', () => {
  const series = frames('web-1');
  const { then } = show(came(Done, series));
  templates.host = 'db-1';
  expect(then(came(Loading, [...series]))).toMatchObject({ hosts: undefined, isLoading: true });
  expect(then(came(Error, series))).toMatchObject({ hosts: undefined, problem: 'The query failed.' });
  expect(then(came(Done, frames('db-1')))).toMatchObject({ hosts: ['db-1'] });
});

test('rows of another data source are not shown', () => {
  const series = frames('web-1');
  const { then } = show(came(Done, series));
  expect(then(came(Error, series, 'two'))).toMatchObject({ hosts: undefined });
});

test('an answer without predictions is said to be one, though rows came before', () => {
  const { then } = show(came(Done, frames('web-1')));
  const other = createDataFrame({ fields: [{ name: 'x', type: FieldType.number, values: [1] }] });
  expect(then(came(Done, [other]))).toMatchObject({ hosts: undefined, isForeign: true });
});
