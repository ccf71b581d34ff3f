/**
 * Calls the hub through the data source's proxy routes, which hold the key: it never reaches the browser.
 */
import { lastValueFrom } from 'rxjs';
import { BackendSrvRequest, getBackendSrv } from '@grafana/runtime';
import { problemOf } from './problem';
import { Page } from './types';

/** Rows on one page: the most the hub gives. */
const PAGE_ROWS = 1000;

export type Params = Record<string, string | number | undefined>;

/** What was read of a list, and whether there is more. */
export interface Rows<T> {
  items: T[];
  isCut: boolean;
}

export class HubClient {
  /** @param base the data source's `url`: `/api/datasources/proxy/uid/…` */
  constructor(private readonly base: string) {}

  get<T>(path: string, params: Params = {}): Promise<T> {
    return this.call<T>({ method: 'GET', url: this.url(path), params: present(params) });
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.call<T>({ method: 'POST', url: this.url(path), data: body });
  }

  /** Follows a list's pages up to `most` rows, or until `isPast` says that no later row can matter. */
  async list<T>(path: string, params: Params, most: number, isPast?: (row: T) => boolean): Promise<Rows<T>> {
    const items: T[] = [];
    let after: string | undefined;
    do {
      const limit = Math.min(PAGE_ROWS, most - items.length);
      const page = await this.get<Page<T>>(path, { ...params, limit, after });
      items.push(...page.items);
      after = page.next;
      const last = items.at(-1);
      if (last !== undefined && isPast?.(last)) {
        return { items, isCut: false };
      }
    } while (after !== undefined && items.length < most);
    return { items, isCut: after !== undefined };
  }

  private url(path: string): string {
    return `${this.base}/${path}`;
  }

  private async call<T>(request: BackendSrvRequest): Promise<T> {
    try {
      const fetched = getBackendSrv().fetch<T>({ ...request, showErrorAlert: false, showSuccessAlert: false });
      return (await lastValueFrom(fetched)).data;
    } catch (error) {
      throw problemOf(error);
    }
  }
}

function present(params: Params): Params {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined && value !== ''));
}
