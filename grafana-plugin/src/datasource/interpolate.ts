/**
 * Variables of the dashboard in a query, and which hosts and series it then means.
 */
import { ScopedVars } from '@grafana/data';
import { TemplateSrv } from '@grafana/runtime';
import { ArkiQuery } from './types';

/** The query with every variable replaced; a variable with many values becomes a list separated by commas. */
export function interpolate(query: ArkiQuery, scoped: ScopedVars, templates: TemplateSrv): ArkiQuery {
  const replaced = (text: string | undefined) => templates.replace(text ?? '', scoped, 'csv');
  return { ...query, host: replaced(query.host), series: replaced(query.series), state: replaced(query.state) };
}

/** The items of a list separated by commas. Commas inside of braces belong to the name: `tcp.open{80,443}`. */
export function items(list: string | undefined): string[] {
  const found = (list ?? '').match(/(?:\{[^}]*\}|[^,{])+/g) ?? [];
  return found.map((item) => item.trim()).filter((item) => item !== '');
}

/** The hosts that are named; none means all. */
export function hostsOf(query: Pick<ArkiQuery, 'host'>): string[] {
  const hosts = items(query.host);
  return hosts.includes('*') ? [] : hosts;
}
