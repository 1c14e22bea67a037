-- The tables of SQS, the Scheduler and the clock. All times are Unix milliseconds of the clock.

CREATE TABLE IF NOT EXISTS clock (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    mode   TEXT NOT NULL,            -- offset | frozen
    millis INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS queue (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL UNIQUE,
    attributes  TEXT NOT NULL,       -- JSON object: the attributes that were set, without defaults
    tags        TEXT NOT NULL,       -- JSON object
    created_at  INTEGER NOT NULL,
    modified_at INTEGER NOT NULL
);

-- AUTOINCREMENT: a receipt handle contains the message's number, so a number must never be reused.
CREATE TABLE IF NOT EXISTS message (
    number            INTEGER PRIMARY KEY AUTOINCREMENT,
    queue             INTEGER NOT NULL,
    id                TEXT NOT NULL,
    body              TEXT NOT NULL,
    body_md5          TEXT NOT NULL,
    attributes        TEXT,          -- JSON object of message attributes, NULL when there are none
    trace             TEXT,          -- AWSTraceHeader
    group_id          TEXT,
    dedup_id          TEXT,
    source_arn        TEXT,          -- of a dead letter: the queue that it came from
    sender            TEXT,          -- SenderId, NULL when it is the account
    sent_at           INTEGER NOT NULL,
    visible_at        INTEGER NOT NULL,
    received_at       INTEGER,       -- last time
    first_received_at INTEGER,
    receives          INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS message_by_visibility ON message (queue, visible_at, receives);
CREATE INDEX IF NOT EXISTS message_by_group ON message (queue, group_id, visible_at) WHERE group_id IS NOT NULL;

CREATE TABLE IF NOT EXISTS deduplication (
    queue      INTEGER NOT NULL,
    scope      TEXT NOT NULL,        -- the message group, or empty when the whole queue is one scope
    dedup_id   TEXT NOT NULL,
    message_id TEXT NOT NULL,
    number     INTEGER NOT NULL,     -- the number of the stored message
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (queue, scope, dedup_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deduplication_by_expiry ON deduplication (queue, expires_at);

CREATE TABLE IF NOT EXISTS schedule_group (
    name        TEXT PRIMARY KEY,
    token       TEXT,
    tags        TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    modified_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS schedule (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    group_name  TEXT NOT NULL,
    name        TEXT NOT NULL,
    state       TEXT NOT NULL,
    definition  TEXT NOT NULL,       -- JSON, as GetSchedule returns it
    target      TEXT NOT NULL,       -- ARN
    token       TEXT,
    revision    INTEGER NOT NULL,    -- counts updates
    created_at  INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    due_at      INTEGER,             -- next occurrence, NULL when there is none
    UNIQUE (group_name, name)
);
CREATE INDEX IF NOT EXISTS schedule_by_due ON schedule (due_at) WHERE due_at IS NOT NULL;

-- An occurrence of a schedule that is being delivered. It survives a restart, and does not change with the schedule.
CREATE TABLE IF NOT EXISTS firing (
    id           TEXT PRIMARY KEY,   -- the execution id
    schedule     INTEGER NOT NULL,
    revision     INTEGER NOT NULL,
    arn          TEXT NOT NULL,      -- of the schedule
    target       TEXT NOT NULL,      -- ARN
    definition   TEXT NOT NULL,      -- JSON of the schedule when it was due
    scheduled_at INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    due_at       INTEGER NOT NULL    -- next attempt
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS firing_by_due ON firing (due_at, scheduled_at);
