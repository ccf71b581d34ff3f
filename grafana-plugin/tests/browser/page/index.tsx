/**
 * A page that loads the built plugins as Grafana does: SystemJS, AMD modules, the libraries that Grafana shares. It stands for
 * Grafana's frontend with the same libraries; Grafana's own loader, login and routing are not in it.
 */
import * as emotion from '@emotion/css';
import * as data from '@grafana/data';
import * as runtime from '@grafana/runtime';
import * as ui from '@grafana/ui';
import React from 'react';
import * as reactDom from 'react-dom';
import { createRoot } from 'react-dom/client';
import * as rxjs from 'rxjs';
import { backend } from './backend';
import { dataSources } from './sources';
import { PanelStage } from './PanelStage';
import { Frame } from './Frame';

interface Loader {
  set: (id: string, module: object) => void;
  import: (id: string) => Promise<Record<string, unknown>>;
}

declare global {
  interface Window {
    System: Loader;
    stage: object;
  }
}

const SHARED: Record<string, object> = {
  '@emotion/css': emotion,
  '@grafana/data': data,
  '@grafana/runtime': runtime,
  '@grafana/ui': ui,
  react: React,
  'react-dom': reactDom,
  rxjs,
};
for (const [name, module] of Object.entries(SHARED)) {
  window.System.set(`package:${name}`, { ...module, default: module });
}

const wanted = new URLSearchParams(window.location.search);
const theme = data.createTheme({ colors: { mode: wanted.get('theme') === 'light' ? 'light' : 'dark' } });
Object.assign(runtime.config, { theme2: theme });
runtime.config.bootData.user.orgRole = wanted.get('role') === 'Viewer' ? data.OrgRole.Viewer : data.OrgRole.Editor;
runtime.setBackendSrv(backend);
data.locationUtil.initialize({
  config: runtime.config as unknown as data.GrafanaConfig,
  getVariablesUrlParams: () => ({}),
  getTimeRangeForUrl: () => ({ from: 'now-1h', to: 'now' }),
});
runtime.setTemplateSrv({
  replace: (text?: string) => text ?? '',
  getVariables: () => [],
  containsTemplate: () => false,
  updateTimeRange: () => undefined,
});

const root = createRoot(document.getElementById('root')!);
const plugin = async (name: string) => (await window.System.import(`/dist/${name}.js`)).plugin;

/** What the tests call. */
window.stage = {
  async panel(target: object, options: object, size: { width: number; height: number }) {
    const source = (await plugin('datasource/module')) as data.DataSourcePlugin<data.DataSourceApi>;
    const panel = (await plugin('panel/module')) as data.PanelPlugin;
    runtime.setDataSourceSrv(dataSources(source));
    root.render(
      <Frame theme={theme}>
        <PanelStage panel={panel} target={target} options={options} {...size} />
      </Frame>
    );
  },
  async app() {
    runtime.setDataSourceSrv(
      dataSources((await plugin('datasource/module')) as data.DataSourcePlugin<data.DataSourceApi>)
    );
    const app = (await plugin('module')) as data.AppPlugin;
    const Page = app.root!;
    root.render(
      <Frame theme={theme}>
        <Page {...({ meta: app.meta, basename: '/a/arki-app', path: '/', query: {} } as data.AppRootProps)} />
      </Frame>
    );
  },
  async setup() {
    const app = (await plugin('module')) as data.AppPlugin;
    const Page = app.configPages![0]!.body;
    const meta = { id: 'arki-app', enabled: true, jsonData: {} };
    root.render(
      <Frame theme={theme}>
        <Page {...({ plugin: { meta }, query: {} } as unknown as data.PluginConfigPageProps<data.PluginMeta>)} />
      </Frame>
    );
  },
  /** Asks the data source without a panel. */
  async query(targets: object[]) {
    const source = (await plugin('datasource/module')) as data.DataSourcePlugin<data.DataSourceApi>;
    runtime.setDataSourceSrv(dataSources(source));
    const api = await runtime.getDataSourceSrv().get('arki');
    const { request } = await import('./request');
    const answer = await api.query(request(targets));
    const frames = 'data' in answer ? (answer.data as data.DataFrame[]) : [];
    const error = 'error' in answer ? answer.error?.message : undefined;
    return {
      error,
      frames: frames.map((frame) => ({
        name: frame.name,
        rows: frame.length,
        fields: frame.fields.map(({ name }) => name),
      })),
    };
  },
  async variable(query: object) {
    const source = (await plugin('datasource/module')) as data.DataSourcePlugin<data.DataSourceApi>;
    runtime.setDataSourceSrv(dataSources(source));
    const api = await runtime.getDataSourceSrv().get('arki');
    const { request } = await import('./request');
    const variables = api.variables as data.CustomVariableSupport<data.DataSourceApi>;
    return rxjs.lastValueFrom(variables.query(request([query]) as never));
  },
  async health() {
    runtime.setDataSourceSrv(
      dataSources((await plugin('datasource/module')) as data.DataSourcePlugin<data.DataSourceApi>)
    );
    return (await runtime.getDataSourceSrv().get('arki')).testDatasource();
  },
};
