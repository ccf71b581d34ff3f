/**
 * Makes or changes the data source "Arki" through Grafana's own API. Only an administrator may; Grafana checks that.
 */
import { lastValueFrom } from 'rxjs';
import { getBackendSrv } from '@grafana/runtime';
import { HubClient } from '../../hub/client';
import { testHub } from '../../datasource/health';
import { APP, DATA_SOURCE, SOURCE_UID } from '../ids';

export interface Source {
  uid: string;
  name: string;
  readOnly: boolean;
  isDefault: boolean;
  jsonData: { hubUrl?: string };
  secureJsonFields: { apiKey?: boolean };
  version?: number;
}

interface Call {
  method: 'GET' | 'POST' | 'PUT';
  url: string;
  data?: unknown;
}

async function call<T>(request: Call): Promise<T> {
  const fetched = getBackendSrv().fetch<T>({ ...request, showErrorAlert: false, showSuccessAlert: false });
  return (await lastValueFrom(fetched)).data;
}

/** The data source of that name, or the first of its kind; nothing where there is none. */
export async function read(): Promise<Source | undefined> {
  const all = await call<Array<{ uid: string; type: string }>>({ method: 'GET', url: '/api/datasources' });
  const own = all.filter(({ type }) => type === DATA_SOURCE);
  const found = own.find(({ uid }) => uid === SOURCE_UID) ?? own[0];
  return found && call<Source>({ method: 'GET', url: `/api/datasources/uid/${found.uid}` });
}

/** @param apiKey nothing keeps the key that is there */
export async function write(known: Source | undefined, hubUrl: string, apiKey: string | undefined): Promise<string> {
  const secureJsonData = apiKey === undefined ? {} : { secureJsonData: { apiKey } };
  if (known === undefined) {
    const data = {
      uid: SOURCE_UID,
      name: 'Arki',
      type: DATA_SOURCE,
      access: 'proxy',
      jsonData: { hubUrl },
      ...secureJsonData,
    };
    await call({ method: 'POST', url: '/api/datasources', data });
    return SOURCE_UID;
  }
  const data = {
    ...known,
    type: DATA_SOURCE,
    access: 'proxy',
    jsonData: { ...known.jsonData, hubUrl },
    ...secureJsonData,
  };
  await call({ method: 'PUT', url: `/api/datasources/uid/${known.uid}`, data });
  return known.uid;
}

export function test(uid: string, hubUrl: string) {
  return testHub(new HubClient(`/api/datasources/proxy/uid/${uid}`), hubUrl);
}

/** Nested plugins work only while their app is enabled. */
export async function enable(): Promise<void> {
  await call({ method: 'POST', url: `/api/plugins/${APP}/settings`, data: { enabled: true, pinned: true } });
}
