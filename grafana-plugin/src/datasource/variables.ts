/**
 * Variables of a dashboard: hosts, and series of hosts.
 */
import { Observable, from } from 'rxjs';
import { CustomVariableSupport, DataQueryRequest, DataQueryResponse, MetricFindValue } from '@grafana/data';
import { TemplateSrv } from '@grafana/runtime';
import { HubClient } from '../hub/client';
import { SeriesNames } from '../hub/types';
import { VariableEditor } from './editor/VariableEditor';
import type { ArkiDataSource } from './datasource';
import { Fleet } from './fleet';
import { items } from './interpolate';
import { matches } from '../text/glob';
import { ArkiVariableQuery } from './types';

/** Hosts whose series are listed at most: they have much the same. */
const HOSTS_MAX = 20;

export class ArkiVariables extends CustomVariableSupport<ArkiDataSource, ArkiVariableQuery> {
  override editor = VariableEditor;

  constructor(
    private readonly fleet: Fleet,
    private readonly hub: HubClient,
    private readonly templates: TemplateSrv
  ) {
    super();
  }

  override query(request: DataQueryRequest<ArkiVariableQuery>): Observable<DataQueryResponse> {
    return from(this.values(request).then((names) => ({ data: names.map(value) })));
  }

  private async values(request: DataQueryRequest<ArkiVariableQuery>): Promise<string[]> {
    const query = request.targets[0];
    const replaced = (text: string | undefined) => this.templates.replace(text ?? '', request.scopedVars, 'csv');
    const patterns = items(replaced(query?.match)).map((pattern) => (pattern.includes('*') ? pattern : `*${pattern}*`));
    const hosts = items(replaced(query?.host)).filter((host) => host !== '*');
    const agents = (await this.fleet.agents()).filter((agent) => agent.state !== 'revoked');
    if (query?.kind !== 'series') {
      return sorted(agents.map((agent) => agent.host).filter((host) => matches(patterns, host)));
    }
    const asked = agents.filter((agent) => matches(hosts, agent.host)).slice(0, HOSTS_MAX);
    const all = await Promise.all(asked.map((agent) => this.hub.get<SeriesNames>('v1/series', { agent: agent.id })));
    const names = all.flatMap((one) => one.items.map((item) => item.name));
    return sorted(names.filter((name) => matches(patterns, name)));
  }
}

function value(text: string): MetricFindValue {
  return { text, value: text };
}

function sorted(names: string[]): string[] {
  return [...new Set(names)].sort((a, b) => a.localeCompare(b));
}
