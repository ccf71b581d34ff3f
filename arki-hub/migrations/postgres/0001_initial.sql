-- Version 1, for PostgreSQL of any edition. The text of this file never changes once released.

CREATE TABLE agent (
  agent_no    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  agent_id    bytea NOT NULL UNIQUE,
  host        text NOT NULL,
  version     text NOT NULL,
  enrolled_at timestamptz NOT NULL,
  revoked_at  timestamptz,
  summaries_dropped bigint NOT NULL DEFAULT 0,
  records_set_aside bigint NOT NULL DEFAULT 0
);

-- Every key that an agent ever had: old events stay verifiable after a rotation.
CREATE TABLE agent_key (
  public_key bytea PRIMARY KEY,
  agent_no   bigint NOT NULL REFERENCES agent,
  added_at   timestamptz NOT NULL,
  retired_at timestamptz
);
CREATE INDEX agent_key_agent ON agent_key (agent_no);

CREATE TABLE agent_latest (
  agent_no     bigint PRIMARY KEY REFERENCES agent,
  seen_at      timestamptz NOT NULL,
  time         timestamptz,
  set_no       bigint,
  last         real[],
  silent_since timestamptz,
  silent_told_at timestamptz
) WITH (fillfactor = 50);

-- Which records have been stored, for ever: the key is (agent, epoch, number), never a window of time.
CREATE TABLE batch (
  agent_no    bigint NOT NULL,
  epoch       bigint NOT NULL,
  sequence    bigint NOT NULL,
  digest      bytea NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (agent_no, epoch, sequence)
);

CREATE TABLE metric_set (
  set_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest bytea NOT NULL UNIQUE,
  names  text[] NOT NULL
);

-- The table `sample` is made by the program, as the edition of the database has it.

-- Events as they were signed.
CREATE TABLE event (
  event_id    bytea PRIMARY KEY,
  agent_no    bigint NOT NULL REFERENCES agent,
  time        timestamptz NOT NULL,
  sequence    bigint NOT NULL,
  series      text NOT NULL,
  severity    smallint NOT NULL,
  payload     bytea NOT NULL,
  signature   bytea NOT NULL,
  body        jsonb NOT NULL, -- for reading
  received_at timestamptz NOT NULL
);
CREATE INDEX event_agent ON event (agent_no, sequence);
CREATE INDEX event_time ON event (time);

-- One row a prediction: from the first event on a series until it ends.
CREATE TABLE prediction (
  prediction_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  agent_no      bigint NOT NULL REFERENCES agent,
  series        text NOT NULL,
  event_id      bytea NOT NULL UNIQUE, -- the first event
  last_event_id bytea NOT NULL,
  sequence      bigint NOT NULL, -- of the last event
  events        bigint NOT NULL,
  first_at      timestamptz NOT NULL,
  raised_at     timestamptz NOT NULL,
  value         double precision NOT NULL,
  bound         double precision,
  eta_low_s     double precision,
  eta_median_s  double precision,
  eta_high_s    double precision,
  severity      smallint NOT NULL,
  state         text NOT NULL,
  ended_at      timestamptz,
  settled_by    text -- agent (its ledger) or hub (the summaries)
);
CREATE UNIQUE INDEX prediction_active ON prediction (agent_no, series) WHERE ended_at IS NULL;
CREATE INDEX prediction_agent ON prediction (agent_no, prediction_no);

-- What was decided about telling people.
CREATE TABLE alert (
  alert_no  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  time      timestamptz NOT NULL,
  kind      text NOT NULL,
  state     text NOT NULL,
  reason    text NOT NULL,
  agent_no  bigint NOT NULL REFERENCES agent,
  series    text NOT NULL,
  severity  smallint NOT NULL,
  cause     text NOT NULL UNIQUE, -- the event or state change that it is about
  event_id  bytea,
  group_key text NOT NULL,
  due_at    timestamptz NOT NULL,
  hosts     bigint NOT NULL
);
CREATE INDEX alert_pending ON alert (due_at) WHERE state = 'pending';
CREATE INDEX alert_group ON alert (group_key, time);

-- Messages to be sent.
CREATE TABLE message (
  message_no    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  created_at    timestamptz NOT NULL,
  channel       text NOT NULL,
  body          text NOT NULL,
  due_at        timestamptz NOT NULL,
  attempts      bigint NOT NULL,
  claimed_until timestamptz NOT NULL,
  sent_at       timestamptz,
  failed_at     timestamptz,
  error         text NOT NULL
);
CREATE INDEX message_due ON message (due_at) WHERE sent_at IS NULL AND failed_at IS NULL;
CREATE INDEX message_sent ON message (channel, sent_at);

-- API keys; only their SHA-256.
CREATE TABLE api_key (
  key_no     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name       text NOT NULL,
  digest     bytea NOT NULL UNIQUE,
  scope      text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz
);

-- One-time enrolment tokens; only their SHA-256. With an agent they rotate its key.
CREATE TABLE token (
  token_no   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest     bytea NOT NULL UNIQUE,
  agent_no   bigint REFERENCES agent,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at    timestamptz,
  used_by    bytea
);

CREATE TABLE setting (
  name  text PRIMARY KEY,
  value bytea NOT NULL
);
