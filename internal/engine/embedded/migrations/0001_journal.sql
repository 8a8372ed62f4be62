-- What the engine must not forget. Times are nanoseconds since 1970, ids are
-- 16 bytes. Every index costs each delivery that is accepted: each says what
-- it is for.

CREATE TABLE counter (
  name  TEXT PRIMARY KEY,  -- next: what the next sequence must be above; probe: written to see whether writing works
  value INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE hook (
  id        INTEGER PRIMARY KEY,
  name      TEXT NOT NULL UNIQUE,
  paused    TEXT NOT NULL DEFAULT '',     -- why and by whom
  failures  INTEGER NOT NULL DEFAULT 0,   -- final ones in a row
  bytes     INTEGER NOT NULL DEFAULT 0,   -- of its runs, about; artifacts too
  artifacts INTEGER NOT NULL DEFAULT 0
);

-- A delivery has the sequence of its first run, and its runs those that follow.
CREATE TABLE delivery (
  seq     INTEGER PRIMARY KEY,
  id      BLOB NOT NULL,
  made    INTEGER NOT NULL,  -- how many runs it made
  runs    INTEGER NOT NULL,  -- how many of them are still remembered
  secrets BLOB,              -- credentials, until the last of its runs has ended
  content BLOB NOT NULL      -- head and body; see codec.go
);
CREATE INDEX delivery_id ON delivery (id);

CREATE TABLE run (
  seq           INTEGER PRIMARY KEY,
  id            BLOB NOT NULL,
  hook          INTEGER NOT NULL,
  delivery      INTEGER NOT NULL,
  phase         INTEGER NOT NULL,
  place         INTEGER NOT NULL,  -- in line: its sequence, unless it took another's place or was put at the end
  key           TEXT,              -- NULL: it has none
  element       TEXT NOT NULL DEFAULT '',
  accepted      INTEGER NOT NULL,
  flags         INTEGER NOT NULL DEFAULT 0,
  depth         INTEGER NOT NULL DEFAULT 0,
  origin        BLOB,
  size          INTEGER NOT NULL DEFAULT 0,  -- bytes, about; without artifacts
  due           INTEGER,           -- of a run that rests or backs off, else NULL
  rested        INTEGER NOT NULL DEFAULT 0,  -- since when the place that it has has been resting
  attempt       INTEGER NOT NULL DEFAULT 0,  -- number of the newest, 0 before the first
  tries         INTEGER NOT NULL DEFAULT 0,  -- those that count for retry.attempts
  interruptions INTEGER NOT NULL DEFAULT 0,
  superseded    BLOB,              -- id of the run that took its place
  ended         INTEGER NOT NULL DEFAULT 0,  -- of the run
  why           TEXT NOT NULL DEFAULT '',    -- it ended so, or waits again
  -- the newest attempt
  started       INTEGER NOT NULL DEFAULT 0,
  finished      INTEGER NOT NULL DEFAULT 0,
  finish        INTEGER NOT NULL DEFAULT 0,
  exit          INTEGER NOT NULL DEFAULT 0,
  signal        TEXT NOT NULL DEFAULT '',
  reason        TEXT NOT NULL DEFAULT '',
  hash          TEXT NOT NULL DEFAULT '',
  artifacts     INTEGER NOT NULL DEFAULT 0,
  head          INTEGER NOT NULL DEFAULT 0,
  omitted       INTEGER NOT NULL DEFAULT 0,
  printed       INTEGER NOT NULL DEFAULT 0,  -- bytes of output that are kept
  results       BLOB,
  output        BLOB
);
CREATE INDEX run_id    ON run (id);
CREATE INDEX run_phase ON run (phase, hook);                                    -- lists, recovery, counts, retention
CREATE INDEX run_ended ON run (phase) WHERE phase >= 5;                         -- lists by state alone
CREATE INDEX run_ready ON run (hook, place) WHERE phase = 0;                    -- the window of heads
CREATE INDEX run_due   ON run (due) WHERE due IS NOT NULL;                      -- the next timer
CREATE INDEX run_line  ON run (hook, key, place) WHERE key IS NOT NULL AND phase < 5; -- who is next of a key
CREATE INDEX run_key   ON run (key, hook, phase) WHERE key IS NOT NULL;         -- lists by key

-- Attempts before the newest.
CREATE TABLE attempt (
  run INTEGER NOT NULL, number INTEGER NOT NULL,
  started INTEGER NOT NULL, finished INTEGER NOT NULL, finish INTEGER NOT NULL, exit INTEGER NOT NULL,
  signal TEXT NOT NULL, reason TEXT NOT NULL, hash TEXT NOT NULL, artifacts INTEGER NOT NULL,
  head INTEGER NOT NULL, omitted INTEGER NOT NULL, printed INTEGER NOT NULL,
  results BLOB, output BLOB,
  PRIMARY KEY (run, number)
);

-- Senders' own ids of deliveries.
CREATE TABLE seen (
  hook     INTEGER NOT NULL,
  sender   TEXT NOT NULL,
  at       INTEGER NOT NULL,
  until    INTEGER NOT NULL,
  id       BLOB NOT NULL,     -- of the delivery
  delivery INTEGER NOT NULL,
  made     INTEGER NOT NULL,
  PRIMARY KEY (hook, sender)
) WITHOUT ROWID;
CREATE INDEX seen_until    ON seen (until);
CREATE INDEX seen_delivery ON seen (delivery); -- a failure that is forgotten was one
