/**
 * The recent past of a prediction's series, read when somebody looks at the evidence.
 */
import { useEffect, useState } from 'react';
import { HubClient } from '../../hub/client';
import { MetricsRange, Prediction } from '../../hub/types';
import { Past } from './cone';

/** As far back as the forecast looks ahead, within these limits, in seconds. */
const BACK_MIN_S = 3600;
const BACK_MAX_S = 86_400;
/** As many as the picture has columns. */
const POINTS = 200;

/** Nothing until it is read, and where it cannot be read: the forecast stands without it. */
export function usePast(hub: HubClient | undefined, prediction: Prediction): Past | undefined {
  const [past, setPast] = useState<Past>();
  const { agent, series, raised_at, eta_high } = prediction;
  useEffect(() => {
    let isCurrent = true;
    const back = Math.round(Math.min(BACK_MAX_S, Math.max(BACK_MIN_S, eta_high ?? 0)));
    const params = { agent, series, from: raised_at - back, to: raised_at + 1, points: POINTS };
    hub?.get<MetricsRange>('v1/metrics', params).then(
      ({ series: [columns] }) => isCurrent && columns && setPast({ time: columns.time, value: columns.mean }),
      () => undefined
    );
    return () => {
      isCurrent = false;
    };
  }, [hub, agent, series, raised_at, eta_high]);
  return past;
}
