-- Hours on TimescaleDB Community: a continuous aggregate over packed rows. Element by element it does what
-- `store::hours` does elsewhere: the least of the least, the mean of the means, the greatest of the greatest, the last
-- that there is. NaN means that there is no value.

CREATE FUNCTION arki_least(state real[], new real[]) RETURNS real[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF state IS NULL THEN RETURN new; END IF;
  FOR i IN 1 .. cardinality(new) LOOP
    -- to PostgreSQL NaN is the greatest number
    IF new[i] < state[i] THEN state[i] := new[i]; END IF;
  END LOOP;
  RETURN state;
END $$;

CREATE FUNCTION arki_greatest(state real[], new real[]) RETURNS real[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF state IS NULL THEN RETURN new; END IF;
  FOR i IN 1 .. cardinality(new) LOOP
    IF new[i] <> 'NaN' AND (state[i] = 'NaN' OR new[i] > state[i]) THEN state[i] := new[i]; END IF;
  END LOOP;
  RETURN state;
END $$;

-- The state holds the sums, then the counts.
CREATE FUNCTION arki_sum(state double precision[], new real[]) RETURNS double precision[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  n integer := cardinality(new);
BEGIN
  IF state IS NULL THEN state := array_fill(0::double precision, ARRAY[2 * n]); END IF;
  FOR i IN 1 .. n LOOP
    IF new[i] <> 'NaN' THEN
      state[i] := state[i] + new[i];
      state[n + i] := state[n + i] + 1;
    END IF;
  END LOOP;
  RETURN state;
END $$;

CREATE FUNCTION arki_quotient(state double precision[]) RETURNS real[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  n integer := cardinality(state) / 2;
  means real[] := array_fill('NaN'::real, ARRAY[n]);
BEGIN
  FOR i IN 1 .. n LOOP
    IF state[n + i] > 0 THEN means[i] := state[i] / state[n + i]; END IF;
  END LOOP;
  RETURN means;
END $$;

-- The state holds the values, then the times that they are from.
CREATE FUNCTION arki_newer(state double precision[], new real[], at timestamptz) RETURNS double precision[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  n integer := cardinality(new);
  time double precision := extract(epoch FROM at);
BEGIN
  IF state IS NULL THEN
    state := array_fill('NaN'::double precision, ARRAY[n]) || array_fill('-Infinity'::double precision, ARRAY[n]);
  END IF;
  FOR i IN 1 .. n LOOP
    IF new[i] <> 'NaN' AND time >= state[n + i] THEN
      state[i] := new[i];
      state[n + i] := time;
    END IF;
  END LOOP;
  RETURN state;
END $$;

CREATE FUNCTION arki_values(state double precision[]) RETURNS real[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT state[1 : cardinality(state) / 2]::real[]
$$;

CREATE AGGREGATE arki_min(real[]) (SFUNC = arki_least, STYPE = real[], PARALLEL = SAFE);
CREATE AGGREGATE arki_max(real[]) (SFUNC = arki_greatest, STYPE = real[], PARALLEL = SAFE);
CREATE AGGREGATE arki_mean(real[]) (SFUNC = arki_sum, STYPE = double precision[], FINALFUNC = arki_quotient, PARALLEL = SAFE);
CREATE AGGREGATE arki_last(real[], timestamptz) (SFUNC = arki_newer, STYPE = double precision[], FINALFUNC = arki_values, PARALLEL = SAFE);

-- What is not folded yet is read from the samples (`materialized_only`).
CREATE MATERIALIZED VIEW sample_hour WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT time_bucket(INTERVAL '1 hour', s.time) AS time, s.agent_no, s.set_no,
  arki_min(s.min) AS min, arki_mean(s.mean) AS mean, arki_max(s.max) AS max, arki_last(s.last, s.time) AS last
FROM sample s
GROUP BY time_bucket(INTERVAL '1 hour', s.time), s.agent_no, s.set_no
WITH NO DATA;

-- Up to ten days back: what agents held while the hub was away comes late. (Samples are kept longer than that.)
SELECT add_continuous_aggregate_policy('sample_hour', start_offset => INTERVAL '10 days',
  end_offset => INTERVAL '1 hour', schedule_interval => INTERVAL '30 minutes');
