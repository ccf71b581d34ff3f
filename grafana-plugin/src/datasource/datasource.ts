/**
 * The data source "Arki": asks the hub through Grafana's proxy and answers with frames. One file a kind of answer in `frames/`.
 */
import {
  DataFrame,
  DataQueryRequest,
  DataQueryResponse,
  DataSourceApi,
  DataSourceInstanceSettings,
  LoadingState,
  ScopedVars,
  TestDataSourceResponse,
} from '@grafana/data';
import { getTemplateSrv, TemplateSrv } from '@grafana/runtime';
import { HubClient } from '../hub/client';
import { problemOf } from '../hub/problem';
import { annotationSupport } from './annotations';
import { answer } from './answer';
import { Fleet } from './fleet';
import { testHub } from './health';
import { interpolate } from './interpolate';
import { ArkiOptions, ArkiQuery, DEFAULT_QUERY } from './types';
import { ArkiVariables } from './variables';

export class ArkiDataSource extends DataSourceApi<ArkiQuery, ArkiOptions> {
  readonly hub: HubClient;
  readonly fleet: Fleet;
  private readonly hubUrl: string;

  constructor(
    settings: DataSourceInstanceSettings<ArkiOptions>,
    private readonly templates: TemplateSrv = getTemplateSrv()
  ) {
    super(settings);
    this.hub = new HubClient(settings.url ?? '');
    this.fleet = new Fleet(this.hub);
    this.hubUrl = settings.jsonData?.hubUrl ?? '';
    this.annotations = annotationSupport;
    this.variables = new ArkiVariables(this.fleet, this.hub, this.templates);
  }

  override async query(request: DataQueryRequest<ArkiQuery>): Promise<DataQueryResponse> {
    const wanted = request.targets.filter((query) => this.filterQuery(query));
    const answers = await Promise.allSettled(wanted.map((query) => this.one(query, request)));
    const data = answers.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    const errors = answers.flatMap((one, i) =>
      one.status === 'rejected' ? [{ refId: wanted[i]?.refId, message: problemOf(one.reason).message }] : []
    );
    return errors.length === 0 ? { data } : { data, errors, error: errors[0], state: LoadingState.Error };
  }

  override filterQuery(query: ArkiQuery): boolean {
    return query.hide !== true;
  }

  override getDefaultQuery(): Partial<ArkiQuery> {
    return DEFAULT_QUERY;
  }

  override interpolateVariablesInQueries(queries: ArkiQuery[], scoped: ScopedVars): ArkiQuery[] {
    return queries.map((query) => interpolate(query, scoped, this.templates));
  }

  override getQueryDisplayText(query: ArkiQuery): string {
    return [query.queryType, query.state, query.host, query.series].filter(Boolean).join(' ');
  }

  override testDatasource(): Promise<TestDataSourceResponse> {
    return testHub(this.hub, this.hubUrl);
  }

  private one(query: ArkiQuery, request: DataQueryRequest<ArkiQuery>): Promise<DataFrame[]> {
    const from = Math.floor(request.range.from.valueOf() / 1000);
    const to = Math.ceil(request.range.to.valueOf() / 1000);
    // a state of predictions means nothing to alerts or runs: only the kind has a default here
    const complete: ArkiQuery = { ...query, queryType: query.queryType ?? 'predictions' };
    return answer(interpolate(complete, request.scopedVars, this.templates), {
      hub: this.hub,
      fleet: this.fleet,
      from,
      to,
      now: Math.floor((request.startTime || Date.now()) / 1000),
      points: request.maxDataPoints ?? 500,
      intervalSeconds: Math.max(1, Math.round(request.intervalMs / 1000)),
    });
  }
}
