-- Gaps told by number, newest values written behind, and floods kept aside.

-- What of an epoch is missing below the highest number that came, and when it lived. An epoch ends
-- when its gateway begins another one (a restart).
ALTER TABLE gateway_epochs
    ALTER COLUMN seq DROP NOT NULL,           -- NULL: nothing is confirmed, no base is known yet
    ADD COLUMN first_missing bigint,          -- the first missing run, both ends included
    ADD COLUMN last_missing  bigint,
    ADD COLUMN missing_count bigint NOT NULL DEFAULT 0, -- numbers, in all runs
    ADD COLUMN given_up      bigint NOT NULL DEFAULT 0, -- numbers that the gateway said never come
    ADD COLUMN highest       bigint,          -- the highest number that is committed
    ADD COLUMN began_middle  boolean NOT NULL DEFAULT false, -- its first numbers never came
    ADD COLUMN began_at      timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN missing_since timestamptz,     -- since when something is missing
    ADD COLUMN ended_at      timestamptz;     -- NULL: the gateway's newest epoch
UPDATE gateway_epochs SET highest = seq, began_at = touched_at;

-- Circuits whose row in `latest` is behind their readings: a collector writes those rows together,
-- a moment later. What one leaves here when it is killed, the next one mends from the readings.
CREATE TABLE latest_behind (
    behind_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    writer    text        NOT NULL,
    marked_at timestamptz NOT NULL DEFAULT now(),
    circuits  int[]       NOT NULL
);
ALTER TABLE latest SET (fillfactor = 50); -- every row of it changes all the time
ALTER TABLE gateway_days SET (fillfactor = 50);
ALTER TABLE gateway_epochs SET (fillfactor = 50);
ALTER TABLE dirty_days SET (fillfactor = 50);

-- Messages of a gateway that sent far more than all others, as they came, to be taken in when
-- nothing else waits. They are proven, and counted when they are taken in.
CREATE TABLE set_aside (
    aside_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway_id  text   NOT NULL,
    messages    int    NOT NULL,
    bytes       bigint NOT NULL,              -- of the payloads
    payloads    bytea  NOT NULL               -- each: receipt in µs (int8), length (int4), bytes
);
ALTER TABLE set_aside ALTER COLUMN payloads SET STORAGE EXTERNAL; -- compressing costs more
CREATE INDEX set_aside_gateway ON set_aside (gateway_id);
