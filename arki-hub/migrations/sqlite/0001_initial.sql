-- Version 1. Times are Unix seconds. The text of this file never changes once released.

CREATE TABLE agent (
  agent_no    INTEGER PRIMARY KEY,
  agent_id    BLOB NOT NULL UNIQUE,
  host        TEXT NOT NULL,
  version     TEXT NOT NULL,
  enrolled_at INTEGER NOT NULL,
  revoked_at  INTEGER,
  summaries_dropped INTEGER NOT NULL DEFAULT 0,
  records_set_aside INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Every key that an agent ever had: old events stay verifiable after a rotation.
CREATE TABLE agent_key (
  public_key BLOB PRIMARY KEY,
  agent_no   INTEGER NOT NULL REFERENCES agent,
  added_at   INTEGER NOT NULL,
  retired_at INTEGER
) STRICT;
CREATE INDEX agent_key_agent ON agent_key (agent_no);

CREATE TABLE agent_latest (
  agent_no     INTEGER PRIMARY KEY REFERENCES agent,
  seen_at      INTEGER NOT NULL,
  time         INTEGER,
  set_no       INTEGER,
  last         BLOB,
  silent_since INTEGER,
  silent_told_at INTEGER
) STRICT;

-- Which records have been stored, for ever: the key is (agent, epoch, number), never a window of time.
CREATE TABLE batch (
  agent_no    INTEGER NOT NULL,
  epoch       INTEGER NOT NULL,
  sequence    INTEGER NOT NULL,
  digest      BLOB NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (agent_no, epoch, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE metric_set (
  set_no INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  names  TEXT NOT NULL -- JSON array
) STRICT;

-- One row an agent and bucket; the columns hold one little-endian 32-bit float for each name of the set.
CREATE TABLE sample (
  agent_no INTEGER NOT NULL,
  time     INTEGER NOT NULL,
  set_no   INTEGER NOT NULL,
  min      BLOB NOT NULL,
  mean     BLOB NOT NULL,
  max      BLOB NOT NULL,
  last     BLOB NOT NULL
) STRICT;
CREATE INDEX sample_agent_time ON sample (agent_no, time);

-- Events as they were signed.
CREATE TABLE event (
  event_id    BLOB PRIMARY KEY,
  agent_no    INTEGER NOT NULL REFERENCES agent,
  time        INTEGER NOT NULL,
  sequence    INTEGER NOT NULL,
  series      TEXT NOT NULL,
  severity    INTEGER NOT NULL,
  payload     BLOB NOT NULL,
  signature   BLOB NOT NULL,
  body        TEXT NOT NULL, -- JSON, for reading
  received_at INTEGER NOT NULL
) STRICT;
CREATE INDEX event_agent ON event (agent_no, sequence);
CREATE INDEX event_time ON event (time);

-- One row a prediction: from the first event on a series until it ends.
CREATE TABLE prediction (
  prediction_no INTEGER PRIMARY KEY,
  agent_no      INTEGER NOT NULL REFERENCES agent,
  series        TEXT NOT NULL,
  event_id      BLOB NOT NULL UNIQUE, -- the first event
  last_event_id BLOB NOT NULL,
  sequence      INTEGER NOT NULL, -- of the last event
  events        INTEGER NOT NULL,
  first_at      INTEGER NOT NULL,
  raised_at     INTEGER NOT NULL,
  value         REAL NOT NULL,
  bound         REAL,
  eta_low_s     REAL,
  eta_median_s  REAL,
  eta_high_s    REAL,
  severity      INTEGER NOT NULL,
  state         TEXT NOT NULL,
  ended_at      INTEGER,
  settled_by    TEXT -- agent (its ledger) or hub (the summaries)
) STRICT;
CREATE UNIQUE INDEX prediction_active ON prediction (agent_no, series) WHERE ended_at IS NULL;
CREATE INDEX prediction_agent ON prediction (agent_no, prediction_no);

-- What was decided about telling people.
CREATE TABLE alert (
  alert_no  INTEGER PRIMARY KEY,
  time      INTEGER NOT NULL,
  kind      TEXT NOT NULL,
  state     TEXT NOT NULL,
  reason    TEXT NOT NULL,
  agent_no  INTEGER NOT NULL REFERENCES agent,
  series    TEXT NOT NULL,
  severity  INTEGER NOT NULL,
  cause     TEXT NOT NULL UNIQUE, -- the event or state change that it is about
  event_id  BLOB,
  group_key TEXT NOT NULL,
  due_at    INTEGER NOT NULL,
  hosts     INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_pending ON alert (due_at) WHERE state = 'pending';
CREATE INDEX alert_group ON alert (group_key, time);

-- Messages to be sent.
CREATE TABLE message (
  message_no    INTEGER PRIMARY KEY,
  created_at    INTEGER NOT NULL,
  channel       TEXT NOT NULL,
  body          TEXT NOT NULL,
  due_at        INTEGER NOT NULL,
  attempts      INTEGER NOT NULL,
  claimed_until INTEGER NOT NULL,
  sent_at       INTEGER,
  failed_at     INTEGER,
  error         TEXT NOT NULL
) STRICT;
CREATE INDEX message_due ON message (due_at) WHERE sent_at IS NULL AND failed_at IS NULL;
CREATE INDEX message_sent ON message (channel, sent_at);

-- API keys; only their SHA-256.
CREATE TABLE api_key (
  key_no     INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  digest     BLOB NOT NULL UNIQUE,
  scope      TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER
) STRICT;

-- One-time enrolment tokens; only their SHA-256. With an agent they rotate its key.
CREATE TABLE token (
  token_no   INTEGER PRIMARY KEY,
  digest     BLOB NOT NULL UNIQUE,
  agent_no   INTEGER REFERENCES agent,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at    INTEGER,
  used_by    BLOB
) STRICT;

CREATE TABLE setting (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;
