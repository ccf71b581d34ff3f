-- Version 2, for PostgreSQL of any edition: trials in throw-away containers. The text of this file never changes once released.

CREATE TABLE sandbox_run (
  run_no        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id        bytea NOT NULL UNIQUE,
  created_at    timestamptz NOT NULL,
  owner         text NOT NULL, -- whose share of the queue it takes: key:7, hook:deploy, automatic, terminal
  requested_by  text NOT NULL, -- as people call them
  service       text NOT NULL,
  action        text NOT NULL,
  agent_no      bigint REFERENCES agent,
  prediction_id bytea, -- an event of it
  state         text NOT NULL, -- queued, claimed, running, done, failed, cancelled
  runner        text NOT NULL,
  attempts      bigint NOT NULL,
  claimed_until timestamptz NOT NULL,
  started_at    timestamptz,
  finished_at   timestamptz,
  cancelled_by  text,
  outcome       text, -- succeeded, failed
  fidelity      text,
  score         double precision, -- ranks automatic trials
  result        text, -- JSON, as it was made
  error         text NOT NULL,
  decision      text, -- apply, dismiss
  decided_at    timestamptz,
  decided_by    text,
  decided_name  text,
  reason        text,
  receipt       text -- a signed line
);
CREATE INDEX sandbox_run_open ON sandbox_run (run_no) WHERE finished_at IS NULL;
CREATE INDEX sandbox_run_agent ON sandbox_run (agent_no, run_no);
CREATE INDEX sandbox_run_prediction ON sandbox_run (prediction_id);
-- The hub tries a candidate once for each prediction, however many hubs there are.
CREATE UNIQUE INDEX sandbox_run_automatic ON sandbox_run (prediction_id, service, action) WHERE owner = 'automatic';

-- Whoever counts what waits locks this row first.
CREATE TABLE sandbox_gate (
  one    bigint PRIMARY KEY CHECK (one = 1),
  passes bigint NOT NULL
);
INSERT INTO sandbox_gate VALUES (1, 0);

-- Signatures of webhook calls that were taken: none is taken twice.
CREATE TABLE hook_call (
  signature bytea PRIMARY KEY,
  called_at timestamptz NOT NULL
);
CREATE INDEX hook_call_time ON hook_call (called_at);
