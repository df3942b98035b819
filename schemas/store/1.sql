-- The controller's state (SQLite, `.flotilla/state.db`). Applied once; `user_version` = 1.
-- A rollout's `doc` is its whole state and changes only together with the events that explain it.

CREATE TABLE rollout (
    id          TEXT PRIMARY KEY,
    plan        TEXT NOT NULL,              -- the plan's id
    plan_digest TEXT NOT NULL,
    fleet       TEXT NOT NULL,
    environment TEXT NOT NULL,
    title       TEXT NOT NULL,
    status      TEXT NOT NULL,
    active      INTEGER NOT NULL,           -- 1: holds its objects, may be driven
    created_ms  INTEGER NOT NULL,
    plan_text   TEXT NOT NULL,              -- the plan file as it was started
    plan_path   TEXT NOT NULL,
    doc         TEXT NOT NULL
) STRICT;

-- Append-only; `hash` = sha256 over the previous hash and this row's body: a chain that can be
-- verified without this program.
CREATE TABLE event (
    seq     INTEGER PRIMARY KEY,
    rollout TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    body    TEXT NOT NULL,                  -- the event as JSON, as `logs --format ndjson` prints it
    hash    TEXT NOT NULL
) STRICT;
CREATE INDEX event_by_rollout ON event (rollout, seq);

-- What people asked of a running rollout from other processes; the driver takes them in order.
CREATE TABLE control (
    id      INTEGER PRIMARY KEY,
    rollout TEXT NOT NULL,
    verb    TEXT NOT NULL,
    argument TEXT,
    who     TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    answer  TEXT                            -- null: not taken yet; "" done; else why it was refused
) STRICT;
CREATE INDEX control_open ON control (rollout, id) WHERE answer IS NULL;

-- One driver a rollout. `token` only grows; agents refuse commands with an older one.
CREATE TABLE lease (
    rollout    TEXT PRIMARY KEY,
    token      INTEGER NOT NULL,
    holder     TEXT NOT NULL,               -- host:pid:start time of the process
    expires_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE approval (
    plan      TEXT NOT NULL,
    phase     TEXT NOT NULL,
    service   TEXT NOT NULL,
    digest    TEXT NOT NULL,
    signer    TEXT NOT NULL,
    signed_at TEXT NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (plan, phase, service, digest, signer)
) STRICT;

CREATE TABLE rejection (
    plan    TEXT NOT NULL,
    phase   TEXT NOT NULL,
    service TEXT NOT NULL,
    digest  TEXT NOT NULL,
    signer  TEXT NOT NULL,
    reason  TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    PRIMARY KEY (plan, phase, service, digest, signer)
) STRICT;

CREATE TABLE ack (
    plan    TEXT NOT NULL,
    service TEXT NOT NULL,
    who     TEXT NOT NULL,
    note    TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    PRIMARY KEY (plan, service)
) STRICT;
