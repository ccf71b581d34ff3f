/**
 * The hub behind the panel's query: the same proxy routes that the data source uses.
 */
import { DataSourceRef, PanelData } from '@grafana/data';
import { config, getDataSourceSrv } from '@grafana/runtime';
import { HubClient } from '../hub/client';

const DATA_SOURCE = 'arki-datasource';

/** Nothing where the data do not come from an Arki data source. */
export function hubOf(data: PanelData): HubClient | undefined {
  const refs = (data.request?.targets ?? []).map((target) => target.datasource);
  for (const ref of refs.filter((ref): ref is DataSourceRef => ref != null)) {
    const settings = getDataSourceSrv().getInstanceSettings(ref, data.request?.scopedVars);
    if (settings?.type === DATA_SOURCE && settings.url !== undefined) {
      return new HubClient(settings.url);
    }
  }
  return undefined;
}

/** Who is looking, as Grafana signed them in. What they may do is decided by the proxy and by the hub, not here. */
export interface Viewer {
  name: string;
  isEditor: boolean;
}

export function viewer(): Viewer {
  const { user } = config.bootData;
  return {
    name: user.login || user.name || 'unknown',
    isEditor: user.isGrafanaAdmin || user.orgRole === 'Editor' || user.orgRole === 'Admin',
  };
}
