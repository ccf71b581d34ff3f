/**
 * What a dashboard does for one panel: asks the data source again and again, and gives the panel what came.
 */
import {
  applyFieldOverrides,
  DataFrame,
  EventBusSrv,
  getDefaultTimeRange,
  LoadingState,
  PanelData,
  PanelPlugin,
  PanelProps,
  standardFieldConfigEditorRegistry,
} from '@grafana/data';
import { config, getDataSourceSrv } from '@grafana/runtime';
import { PanelChrome } from '@grafana/ui';
import React, { useEffect, useState } from 'react';
import { request } from './request';

interface Props {
  panel: PanelPlugin;
  target: object;
  options: object;
  width: number;
  height: number;
}

const EVERY_MS = 2000;
const EMPTY: PanelData = { state: LoadingState.Loading, series: [], timeRange: getDefaultTimeRange() };

export function PanelStage({ panel, target, options, width, height }: Props) {
  const data = useData(target);
  const Panel = panel.panel!;
  return (
    <PanelChrome title="Predictions" width={width} height={height} padding="none">
      {(innerWidth, innerHeight) => (
        <Panel
          {...({
            id: 1,
            data,
            options,
            width: innerWidth,
            height: innerHeight,
            timeZone: 'utc',
            timeRange: data.timeRange,
            eventBus: new EventBusSrv(),
            fieldConfig: { defaults: {}, overrides: [] },
            replaceVariables: (text: string) => text,
          } as unknown as PanelProps)}
        />
      )}
    </PanelChrome>
  );
}

function useData(target: object): PanelData {
  const [data, setData] = useState(EMPTY);
  useEffect(() => {
    let isCurrent = true;
    const ask = async () => {
      const source = await getDataSourceSrv().get('arki');
      const asked = request([target]);
      const answer = await source.query(asked);
      if (!isCurrent || !('data' in answer)) {
        return;
      }
      const series = applyFieldOverrides({
        data: answer.data as DataFrame[],
        fieldConfig: { defaults: {}, overrides: [] },
        fieldConfigRegistry: standardFieldConfigEditorRegistry as never,
        replaceVariables: (text: string) => text,
        theme: config.theme2,
      });
      const state = answer.error === undefined ? LoadingState.Done : LoadingState.Error;
      setData({ ...answer, state, series, timeRange: asked.range, request: { ...asked, endTime: Date.now() } });
    };
    void ask();
    const timer = setInterval(() => void ask(), EVERY_MS);
    return () => {
      isCurrent = false;
      clearInterval(timer);
    };
  }, [target]);
  return data;
}
