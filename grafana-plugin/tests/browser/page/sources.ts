import { DataSourceApi, DataSourceInstanceSettings, DataSourcePlugin } from '@grafana/data';
import { DataSourceSrv } from '@grafana/runtime';

/** Grafana's data sources: one, of the built plugin, behind the proxy. */
export function dataSources(plugin: DataSourcePlugin<DataSourceApi>): DataSourceSrv {
  const settings = {
    uid: 'arki',
    name: 'Arki',
    type: 'arki-datasource',
    url: '/api/datasources/proxy/uid/arki',
    jsonData: { hubUrl: 'http://hub' },
    isDefault: true,
    meta: { id: 'arki-datasource', info: {} },
  } as unknown as DataSourceInstanceSettings;
  let source: DataSourceApi | undefined;
  return {
    get: async () => (source ??= new plugin.DataSourceClass(settings)),
    getInstanceSettings: () => settings,
    getList: () => [settings],
    reload: () => undefined,
    registerRuntimeDataSource: () => undefined,
  } as unknown as DataSourceSrv;
}
