import { DataQuery } from '@grafana/schema';
import { DataSourceJsonData } from '@grafana/data';

/** What can be asked for. */
export const QUERY_TYPES = [
  'predictions',
  'votes',
  'processes',
  'record',
  'metrics',
  'alerts',
  'runs',
  'agents',
  'annotations',
] as const;
export type QueryType = (typeof QUERY_TYPES)[number];

export type Statistic = 'mean' | 'min' | 'max' | 'last' | 'all';
export type AlertFormat = 'table' | 'count';

export interface ArkiQuery extends DataQuery {
  queryType: QueryType;
  /** Of predictions: active, past or all; of alerts: pending, notified, quieted; of runs: their state. Empty means any. */
  state?: string;
  /** Names of hosts, separated by commas; empty or `*` means all. Variables are replaced. */
  host?: string;
  /** Names of series, separated by commas, `*` stands for any text. Variables are replaced. */
  series?: string;
  statistic?: Statistic;
  /** Adds the bound and the forecast of what is predicted of the series. */
  forecast?: boolean;
  format?: AlertFormat;
  /** Rows at most. */
  limit?: number;
}

/** What Grafana keeps of the data source; the key is in `secureJsonData` only. */
export interface ArkiOptions extends DataSourceJsonData {
  hubUrl?: string;
}

export interface ArkiSecrets {
  apiKey?: string;
}

/** Rows of a list at most, by default and when asked for more. */
export const LIMIT_DEFAULT = 1000;
export const LIMIT_MAX = 5000;

/** What an empty state means where it does not mean any. */
export const STATE_DEFAULTS: Partial<Record<QueryType, string>> = {
  predictions: 'active',
  processes: 'all',
  annotations: 'all',
};

export const DEFAULT_QUERY: Partial<ArkiQuery> = { queryType: 'predictions', state: 'active' };

export type VariableKind = 'hosts' | 'series';

export interface ArkiVariableQuery extends DataQuery {
  kind: VariableKind;
  /** Of series: whose. */
  host?: string;
  /** Only what contains this; `*` stands for any text. */
  match?: string;
}
