-- What the hub asks of agents, and copies of configurations. The text of this file never changes once released.

CREATE TABLE request (
  request_no  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  request_id  bytea NOT NULL UNIQUE,
  agent_no    bigint NOT NULL REFERENCES agent,
  kind        text NOT NULL, -- snapshot, apply
  service     text NOT NULL,
  run         text NOT NULL UNIQUE, -- of an apply: the trial's; else the request's own
  line        text NOT NULL, -- signed
  made_at     timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  answered_at timestamptz,
  outcome     text NOT NULL, -- '' until answered; done, refused, failed
  detail      text NOT NULL,
  report      text NOT NULL  -- of an apply: JSON
);
CREATE INDEX request_waiting ON request (agent_no, request_no) WHERE answered_at IS NULL;

CREATE TABLE snapshot (
  snapshot_no   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  agent_no      bigint NOT NULL REFERENCES agent,
  service       text NOT NULL,
  taken_at      timestamptz NOT NULL,
  received_at   timestamptz NOT NULL,
  configuration bytea NOT NULL,
  content       bytea NOT NULL -- compressed, as it came
);
CREATE INDEX snapshot_agent ON snapshot (agent_no, service, snapshot_no);
