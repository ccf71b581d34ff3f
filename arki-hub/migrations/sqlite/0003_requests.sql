-- What the hub asks of agents, and copies of configurations. The text of this file never changes once released.

CREATE TABLE request (
  request_no  INTEGER PRIMARY KEY,
  request_id  BLOB NOT NULL UNIQUE,
  agent_no    INTEGER NOT NULL REFERENCES agent,
  kind        TEXT NOT NULL, -- snapshot, apply
  service     TEXT NOT NULL,
  run         TEXT NOT NULL UNIQUE, -- of an apply: the trial's; else the request's own
  line        TEXT NOT NULL, -- signed
  made_at     INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  answered_at INTEGER,
  outcome     TEXT NOT NULL, -- '' until answered; done, refused, failed
  detail      TEXT NOT NULL,
  report      TEXT NOT NULL  -- of an apply: JSON
) STRICT;
CREATE INDEX request_waiting ON request (agent_no, request_no) WHERE answered_at IS NULL;

CREATE TABLE snapshot (
  snapshot_no   INTEGER PRIMARY KEY,
  agent_no      INTEGER NOT NULL REFERENCES agent,
  service       TEXT NOT NULL,
  taken_at      INTEGER NOT NULL,
  received_at   INTEGER NOT NULL,
  configuration BLOB NOT NULL,
  content       BLOB NOT NULL -- compressed, as it came
) STRICT;
CREATE INDEX snapshot_agent ON snapshot (agent_no, service, snapshot_no);
