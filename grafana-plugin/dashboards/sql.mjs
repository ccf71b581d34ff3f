/**
 * The same questions in SQL, for Grafana's PostgreSQL data source over the hub's own tables (see the hub's migrations). Packed
 * series are read by subscript: an `unnest` costs many times the CPU.
 */
import { VERDICTS } from './build.mjs';

const SEVERITY = (column) => `CASE ${column} WHEN 2 THEN 'critical' WHEN 1 THEN 'warning' ELSE 'info' END`;

const VERDICT = (source, voter) =>
  `(SELECT vote->>'verdict' FROM jsonb_array_elements(${source}->'prediction'->'votes') vote WHERE vote->>'voter' = '${voter}')`;

export const hosts = 'SELECT DISTINCT host FROM agent WHERE revoked_at IS NULL ORDER BY host';

export const seriesOf = `SELECT DISTINCT name FROM agent a
JOIN agent_latest l USING (agent_no) JOIN metric_set s ON s.set_no = l.set_no, unnest(s.names) name
WHERE a.host = '$host' ORDER BY name`;

export const servers = 'SELECT count(*) AS servers FROM agent WHERE revoked_at IS NULL';

export const silent = `SELECT count(*) AS silent FROM agent a JOIN agent_latest l USING (agent_no)
WHERE a.revoked_at IS NULL AND l.silent_since IS NOT NULL`;

export const activeCount = 'SELECT count(*) AS active FROM prediction WHERE ended_at IS NULL';

export const criticalCount = 'SELECT count(*) AS critical FROM prediction WHERE ended_at IS NULL AND severity = 2';

/** Seconds until then, never below 0; NULL stays NULL, where `greatest(0, NULL)` alone would be 0: "it fails now". */
const LEFT = (then) =>
  `CASE WHEN ${then} IS NOT NULL THEN greatest(0, extract(epoch FROM ${then} - now()))::bigint END`;

export const nextFailure = `SELECT ${LEFT('min(raised_at + make_interval(secs => eta_median_s))')} AS remaining
FROM prediction WHERE ended_at IS NULL`;

/** The active ones, the most urgent first. */
export const predictions = (
  where = ''
) => `SELECT a.host, p.series, ${SEVERITY('p.severity')} AS severity, p.value, p.bound,
  ${LEFT('p.raised_at + make_interval(secs => p.eta_median_s)')} AS "time to failure",
  p.raised_at + make_interval(secs => p.eta_low_s) AS "earliest (p10)",
  p.raised_at + make_interval(secs => p.eta_high_s) AS "latest (p90)",
  ${VERDICT('e.body', 'trend')} AS trend, ${VERDICT('e.body', 'correlation')} AS correlation, ${VERDICT('e.body', 'pattern')} AS pattern,
  p.first_at AS "first told"
FROM prediction p JOIN agent a USING (agent_no) LEFT JOIN event e ON e.event_id = p.last_event_id
WHERE p.ended_at IS NULL${where}
ORDER BY "time to failure" NULLS LAST LIMIT 1000`;

export const timeToFailure = `SELECT a.host || ' ' || p.series AS name,
  ${LEFT('p.raised_at + make_interval(secs => p.eta_median_s)')} AS remaining
FROM prediction p JOIN agent a USING (agent_no)
WHERE p.ended_at IS NULL AND p.eta_median_s IS NOT NULL ORDER BY remaining LIMIT 20`;

export const risk = `SELECT a.host, ${SEVERITY('max(p.severity)').replace("ELSE 'info'", "WHEN 0 THEN 'info'")} AS severity,
  count(p.prediction_no) AS predictions,
  CASE WHEN l.seen_at IS NULL THEN 'waiting' WHEN l.silent_since IS NOT NULL THEN 'silent' ELSE 'active' END AS state,
  l.seen_at AS "last seen", a.version
FROM agent a LEFT JOIN agent_latest l USING (agent_no)
LEFT JOIN prediction p ON p.agent_no = a.agent_no AND p.ended_at IS NULL
WHERE a.revoked_at IS NULL GROUP BY a.agent_no, a.host, a.version, l.seen_at, l.silent_since
ORDER BY max(p.severity) DESC NULLS LAST, count(p.prediction_no) DESC, a.host LIMIT 1000`;

export const alarms = `SELECT $__timeGroupAlias(time, $__interval),
  count(*) FILTER (WHERE state <> 'quieted') AS raised, count(*) FILTER (WHERE state = 'quieted') AS quieted
FROM alert WHERE $__timeFilter(time) GROUP BY 1 ORDER BY 1`;

export const record = `SELECT count(*) FILTER (WHERE state = 'happened') AS happened,
  count(*) FILTER (WHERE state = 'averted') AS averted, count(*) FILTER (WHERE state = 'expired') AS expired,
  count(*) FILTER (WHERE state = 'active') AS active,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM ended_at - first_at)) FILTER (WHERE state = 'happened') AS "median lead"
FROM prediction WHERE first_at <= $__timeTo() AND coalesce(ended_at, now()) >= $__timeFrom()`;

export const alerts = (
  where = ''
) => `SELECT al.time, a.host, al.series, al.kind, ${SEVERITY('al.severity')} AS severity, al.state, al.reason
FROM alert al JOIN agent a USING (agent_no) WHERE $__timeFilter(al.time)${where}
ORDER BY al.time DESC LIMIT 1000`;

const OF_HOST = "a.host = '$host'";

/** One line a series that matches; each bucket read by the place of the series in its set. */
export const series = (condition) => `SELECT s.time, place.name AS metric, s.mean[place.i] AS value
FROM agent a JOIN sample s USING (agent_no)
JOIN (SELECT set_no, name, i FROM metric_set, unnest(names) WITH ORDINALITY AS named(name, i) WHERE ${condition}) place USING (set_no)
WHERE ${OF_HOST} AND $__timeFilter(s.time) ORDER BY s.time`;

export const bounds = (condition) => `SELECT t AS time, p.series || ' bound' AS metric, p.bound AS value
FROM prediction p JOIN agent a USING (agent_no), unnest(ARRAY[$__timeFrom()::timestamptz, $__timeTo()::timestamptz]) t
WHERE ${OF_HOST} AND p.ended_at IS NULL AND p.bound IS NOT NULL AND ${condition} ORDER BY t`;

/** From the last word to the bound, at the median, earliest and latest time. */
export const forecasts = (condition) => `SELECT point.time, p.series || ' ' || cone.name AS metric, point.value
FROM prediction p JOIN agent a USING (agent_no),
  LATERAL (VALUES ('forecast', p.eta_median_s), ('earliest (p10)', p.eta_low_s), ('latest (p90)', p.eta_high_s)) cone(name, eta_s),
  LATERAL (VALUES (p.raised_at, p.value), (p.raised_at + make_interval(secs => cone.eta_s), p.bound)) point(time, value)
WHERE ${OF_HOST} AND p.ended_at IS NULL AND p.bound IS NOT NULL AND cone.eta_s IS NOT NULL AND ${condition}
ORDER BY point.time`;

/** The verdicts as numbers, because Grafana makes one line a `metric` only of numbers; `timeline` shows them as words. */
const VERDICT_NUMBER = `CASE vote->>'verdict' ${VERDICTS.map((word, i) => `WHEN '${word}' THEN ${i + 1}`).join(' ')} END`;

/**
 * What each event of the host said, for a state timeline. Every voter has a value at every time, its last one: Grafana would
 * make a gap of each time at which only another one spoke. After the end of a prediction (0) there is none.
 */
export const votes = `WITH said AS (
  SELECT e.time, e.series || ': ' || (vote->>'voter') AS metric, ${VERDICT_NUMBER} AS verdict
  FROM event e JOIN agent a USING (agent_no), jsonb_array_elements(e.body->'prediction'->'votes') vote
  WHERE ${OF_HOST} AND $__timeFilter(e.time)
  UNION ALL
  SELECT p.ended_at, p.series || ': ' || voter, 0
  FROM prediction p JOIN agent a USING (agent_no), unnest(ARRAY['trend', 'correlation', 'pattern']) voter
  WHERE ${OF_HOST} AND $__timeFilter(p.ended_at)
), last AS (SELECT time, metric, max(verdict) AS verdict FROM said GROUP BY time, metric),
grid AS (
  SELECT time, metric, last.verdict, count(last.verdict) OVER (PARTITION BY metric ORDER BY time) AS part
  FROM (SELECT DISTINCT time FROM last) times CROSS JOIN (SELECT DISTINCT metric FROM last) metrics
  LEFT JOIN last USING (time, metric)
)
SELECT time, metric, nullif(max(verdict) OVER (PARTITION BY metric, part), 0)::double precision AS value
FROM grid ORDER BY time, metric`;

export const processes = `SELECT e.time, e.series, process->>'name' AS process, (process->>'pid')::bigint AS pid,
  process->>'resource' AS resource, (process->>'growth')::double precision AS growth,
  (process->>'span_s')::double precision AS over, (process->>'value')::double precision AS now
FROM event e JOIN agent a USING (agent_no), jsonb_array_elements(e.body->'processes') process
WHERE ${OF_HOST} AND $__timeFilter(e.time) ORDER BY e.time DESC LIMIT 200`;

export const runCounts = `SELECT count(*) AS tried, count(*) FILTER (WHERE outcome = 'succeeded') AS worked,
  count(*) FILTER (WHERE finished_at IS NULL) AS "under way", count(*) FILTER (WHERE decision = 'apply') AS "to be applied"
FROM sandbox_run WHERE $__timeFilter(created_at)`;

export const runs = `SELECT r.created_at AS time, a.host, r.service, r.action, r.state, r.outcome, r.fidelity AS proves,
  extract(epoch FROM r.finished_at - r.started_at) AS took, r.decision, coalesce(r.decided_name, r.requested_by) AS by,
  coalesce(r.reason, r.error) AS reason
FROM sandbox_run r LEFT JOIN agent a USING (agent_no) WHERE $__timeFilter(r.created_at) ORDER BY r.created_at DESC LIMIT 1000`;
