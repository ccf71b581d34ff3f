-- Hours, for long ranges. Times are Unix seconds. The text of this file never changes once released.

-- As in `sample`, one row an agent and hour (and set, where it changed in between).
CREATE TABLE sample_hour (
  agent_no INTEGER NOT NULL,
  time     INTEGER NOT NULL,
  set_no   INTEGER NOT NULL,
  min      BLOB NOT NULL,
  mean     BLOB NOT NULL,
  max      BLOB NOT NULL,
  last     BLOB NOT NULL
) STRICT;
CREATE INDEX sample_hour_agent_time ON sample_hour (agent_no, time);

-- Hours into which samples came after they had been folded: they are folded again.
CREATE TABLE hour_due (
  agent_no INTEGER NOT NULL,
  time     INTEGER NOT NULL,
  marks    INTEGER NOT NULL, -- how often
  PRIMARY KEY (agent_no, time)
) STRICT, WITHOUT ROWID;

-- Up to where hours are folded, and until when a hub is at it.
CREATE TABLE hour_state (
  one           INTEGER PRIMARY KEY CHECK (one = 1),
  folded_until  INTEGER,
  claimed_until INTEGER NOT NULL
) STRICT;
INSERT INTO hour_state VALUES (1, NULL, 0);
