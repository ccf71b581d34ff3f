-- Hours, for long ranges. The text of this file never changes once released.
-- The table `sample_hour` is made by the program, as the edition of the database has it.

-- Hours into which samples came after they had been folded: they are folded again.
CREATE TABLE hour_due (
  agent_no bigint NOT NULL,
  time     timestamptz NOT NULL,
  marks    bigint NOT NULL, -- how often
  PRIMARY KEY (agent_no, time)
);

-- Up to where hours are folded, and until when a hub is at it.
CREATE TABLE hour_state (
  one           bigint PRIMARY KEY CHECK (one = 1),
  folded_until  timestamptz,
  claimed_until timestamptz NOT NULL
);
INSERT INTO hour_state VALUES (1, NULL, 'epoch');
