-- The agent's journal in each target database. The agent makes it when it first runs something
-- there (agents/agent/journal.c has this same text; a test compares them) and `flotilla agent
-- clean` removes it. Nobody edits it by hand.

CREATE SCHEMA IF NOT EXISTS flotilla;

-- One row: the newest token that was seen. A runner whose token is older cannot commit anything.
CREATE TABLE IF NOT EXISTS flotilla.fence (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    token   bigint NOT NULL,
    run     text NOT NULL,
    since   timestamptz NOT NULL DEFAULT now()
);

-- One row a phase of a rollout: the signed part and its signatures, whole.
CREATE TABLE IF NOT EXISTS flotilla.part (
    rollout   text NOT NULL,
    phase     text NOT NULL,
    plan      text NOT NULL,
    service   text NOT NULL,
    instance  text NOT NULL,
    digest    text NOT NULL,
    state     text NOT NULL,  -- running, done, undone, stopped, failed
    direction text NOT NULL,  -- forward, back
    run       text NOT NULL,
    fence     bigint NOT NULL,
    part      text NOT NULL,  -- JSON
    approvals text NOT NULL,  -- JSON
    started   timestamptz NOT NULL DEFAULT now(),
    finished  timestamptz,
    error     text,           -- JSON
    PRIMARY KEY (rollout, phase)
);

-- One row a step that was touched.
CREATE TABLE IF NOT EXISTS flotilla.step (
    rollout  text NOT NULL,
    step     text NOT NULL,   -- PHASE/SERVICE/N
    kind     text NOT NULL,
    state    text NOT NULL,   -- started, done, already, undoing, undone
    digest   text NOT NULL,   -- of the step as it was carried out
    run      text NOT NULL,
    attempts integer NOT NULL DEFAULT 1,
    started  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished timestamptz,
    measured text,            -- JSON
    moved    bigint NOT NULL, -- order of the last change of state
    PRIMARY KEY (rollout, step)
);
CREATE SEQUENCE IF NOT EXISTS flotilla.moved;

-- Where a backfill or a restore is; written in the transaction of each batch.
CREATE TABLE IF NOT EXISTS flotilla.cursor (
    rollout   text NOT NULL,
    step      text NOT NULL,
    direction text NOT NULL,
    target    text NOT NULL,
    position  text NOT NULL,  -- JSON
    done      bigint NOT NULL,
    batches   bigint NOT NULL,
    PRIMARY KEY (rollout, step, direction, target)
) WITH (fillfactor = 50);

-- What an object looked like when a run of this rollout last left it.
CREATE TABLE IF NOT EXISTS flotilla.object (
    rollout     text NOT NULL,
    object      text NOT NULL,
    fingerprint text NOT NULL,
    after       text NOT NULL,
    PRIMARY KEY (rollout, object)
);
