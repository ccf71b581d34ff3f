/**
 * Series over time, and with `forecast` what is predicted of them: the bound, and a cone from the last word to where it fails.
 */
import { createDataFrame, DataFrame, FieldConfig } from '@grafana/data';
import { Prediction, SeriesColumns } from '../../hub/types';
import { unitOf } from '../../text/figure';
import { Statistic } from '../types';
import { number, time } from './fields';

type Column = 'min' | 'mean' | 'max' | 'last';

export function metricsFrame(refId: string, host: string, series: SeriesColumns, statistic: Statistic): DataFrame {
  const columns: Column[] = statistic === 'all' ? ['min', 'mean', 'max'] : [statistic];
  const fields = columns.map((column) => {
    const displayName = statistic === 'all' ? `${host} ${series.name} ${column}` : `${host} ${series.name}`;
    const custom = column === 'max' && statistic === 'all' ? { fillBelowTo: `${host} ${series.name} min` } : {};
    const edge = statistic === 'all' && column !== 'mean' ? { lineWidth: 0 } : {};
    return {
      ...number(column, series[column], { ...scale(series.name), displayName, custom: { ...custom, ...edge } }),
      labels: { host, series: series.name },
    };
  });
  return createDataFrame({ refId, name: `${host} ${series.name}`, fields: [time('time', series.time), ...fields] });
}

/** The bound over the whole range, and the forecast where there is one. */
export function forecastFrames(refId: string, prediction: Prediction, from: number, to: number): DataFrame[] {
  const { host, series, bound, raised_at, value, eta_seconds, eta_low, eta_high } = prediction;
  if (bound === null) {
    return [];
  }
  const frame = (what: string, times: number[], values: number[], custom: object, color: string) => {
    const config: FieldConfig = {
      ...scale(series),
      displayName: `${host} ${series} ${what}`,
      custom,
      color: { mode: 'fixed', fixedColor: color },
    };
    const field = { ...number(what, values, config), labels: { host, series } };
    return createDataFrame({ refId, name: `${host} ${series} ${what}`, fields: [time('time', times), field] });
  };
  const frames = [frame('bound', [from, to], [bound, bound], dashed([10, 6]), 'red')];
  if (eta_seconds !== null) {
    const line = (what: string, eta: number, dash: [number, number], width: number) =>
      frame(
        what,
        [raised_at, Math.round(raised_at + eta)],
        [value, bound],
        { ...dashed(dash), lineWidth: width },
        'orange'
      );
    frames.push(line('forecast', eta_seconds, [6, 4], 2));
    frames.push(line('earliest (p10)', eta_low ?? eta_seconds, [2, 4], 1));
    frames.push(line('latest (p90)', eta_high ?? eta_seconds, [2, 4], 1));
  }
  return frames;
}

function dashed(dash: [number, number]) {
  return { lineStyle: { fill: 'dash', dash }, fillOpacity: 0, spanNulls: true, showPoints: 'never' };
}

/** A percentage stands on its own scale. */
function scale(series: string): FieldConfig {
  const unit = unitOf(series);
  return unit === 'percent' ? { unit, min: 0, max: 100 } : { unit };
}
