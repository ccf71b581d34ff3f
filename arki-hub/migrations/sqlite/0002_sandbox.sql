-- Version 2: trials in throw-away containers. The text of this file never changes once released.

CREATE TABLE sandbox_run (
  run_no        INTEGER PRIMARY KEY,
  run_id        BLOB NOT NULL UNIQUE,
  created_at    INTEGER NOT NULL,
  owner         TEXT NOT NULL, -- whose share of the queue it takes: key:7, hook:deploy, automatic, terminal
  requested_by  TEXT NOT NULL, -- as people call them
  service       TEXT NOT NULL,
  action        TEXT NOT NULL,
  agent_no      INTEGER REFERENCES agent,
  prediction_id BLOB, -- an event of it
  state         TEXT NOT NULL, -- queued, claimed, running, done, failed, cancelled
  runner        TEXT NOT NULL,
  attempts      INTEGER NOT NULL,
  claimed_until INTEGER NOT NULL,
  started_at    INTEGER,
  finished_at   INTEGER,
  cancelled_by  TEXT,
  outcome       TEXT, -- succeeded, failed
  fidelity      TEXT,
  score         REAL, -- ranks automatic trials
  result        TEXT, -- JSON
  error         TEXT NOT NULL,
  decision      TEXT, -- apply, dismiss
  decided_at    INTEGER,
  decided_by    TEXT,
  decided_name  TEXT,
  reason        TEXT,
  receipt       TEXT -- a signed line
) STRICT;
CREATE INDEX sandbox_run_open ON sandbox_run (run_no) WHERE finished_at IS NULL;
CREATE INDEX sandbox_run_agent ON sandbox_run (agent_no, run_no);
CREATE INDEX sandbox_run_prediction ON sandbox_run (prediction_id);
-- The hub tries a candidate once for each prediction, however many hubs there are.
CREATE UNIQUE INDEX sandbox_run_automatic ON sandbox_run (prediction_id, service, action) WHERE owner = 'automatic';

-- Whoever counts what waits locks this row first.
CREATE TABLE sandbox_gate (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  passes INTEGER NOT NULL
) STRICT;
INSERT INTO sandbox_gate VALUES (1, 0);

-- Signatures of webhook calls that were taken: none is taken twice.
CREATE TABLE hook_call (
  signature BLOB PRIMARY KEY,
  called_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX hook_call_time ON hook_call (called_at);
