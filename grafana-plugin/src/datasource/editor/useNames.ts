/**
 * The names of hosts, and of the series of the hosts that are chosen, for the editors to offer.
 */
import { useEffect, useState } from 'react';
import { problemOf } from '../../hub/problem';
import { SeriesNames } from '../../hub/types';
import type { ArkiDataSource } from '../datasource';
import { items } from '../interpolate';
import { matches } from '../../text/glob';

export interface Names {
  hosts: string[];
  series: string[];
  problem?: string;
}

/** Hosts whose series are offered at most: they have much the same. */
const HOSTS_MAX = 5;

const NONE: Names = { hosts: [], series: [] };

export function useNames(datasource: ArkiDataSource, host: string | undefined): Names {
  const [names, setNames] = useState(NONE);
  useEffect(() => {
    let isCurrent = true;
    read(datasource, host).then(
      (found) => isCurrent && setNames(found),
      (error: unknown) => isCurrent && setNames({ ...NONE, problem: problemOf(error).message })
    );
    return () => {
      isCurrent = false;
    };
  }, [datasource, host]);
  return names;
}

async function read(datasource: ArkiDataSource, host: string | undefined): Promise<Names> {
  const agents = (await datasource.fleet.agents()).filter((agent) => agent.state !== 'revoked');
  // a variable stands for hosts that are not known here
  const patterns = items(host).filter((name) => !name.includes('$') && name !== '*');
  const asked = agents.filter((agent) => matches(patterns, agent.host)).slice(0, HOSTS_MAX);
  const all = await Promise.all(
    asked.map((agent) => datasource.hub.get<SeriesNames>('v1/series', { agent: agent.id }))
  );
  const series = all.flatMap((one) => one.items.map((item) => item.name));
  return { hosts: agents.map((agent) => agent.host).sort(), series: [...new Set(series)].sort() };
}
