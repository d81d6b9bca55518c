-- What one ingest transaction writes beside the readings.

-- A second, different value for a stored key: never an overwrite, and itself suspicious.
CREATE TABLE revisions (
    revision_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    noted_at    timestamptz NOT NULL DEFAULT now(),
    circuit_key int         NOT NULL,
    ts          timestamptz NOT NULL,
    p           int,
    e           bigint,
    q           int,
    u_a         int,
    u_b         int,
    u_c         int,
    i_a         int,
    i_b         int,
    i_c         int,
    pf          smallint,
    resent      boolean     NOT NULL,
    received_at timestamptz
);
CREATE INDEX revisions_key ON revisions (circuit_key, ts);

-- What was refused for good, whole, with its reason.
CREATE TABLE rejects (
    reject_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL,
    gateway_id  text,
    code        text        NOT NULL,
    reason      text        NOT NULL,
    item        int,        -- index of the reading in its message; NULL = the message itself
    payload     bytea       NOT NULL,
    digest      bytea       NOT NULL UNIQUE -- of gateway, item and payload: delivered again = once
);
CREATE INDEX rejects_recent ON rejects (received_at);

-- What the registry does not know yet; taken in when it does.
CREATE TABLE parked (
    parked_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL,
    gateway_id  text        NOT NULL,
    channel     text,       -- NULL = the gateway itself is unknown
    readings    int         NOT NULL,
    payload     bytea       NOT NULL,
    digest      bytea       NOT NULL UNIQUE -- of gateway, channel and payload
);
CREATE INDEX parked_source ON parked (gateway_id, channel);

-- How far each gateway's messages are committed without a hole (the proof of delivery).
CREATE TABLE gateway_epochs (
    gateway_id text   NOT NULL,
    epoch      text   NOT NULL,
    seq        bigint NOT NULL,
    touched_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (gateway_id, epoch)
);

-- The last word of each gateway about itself, in the order in which they came: a last will is dated
-- at the start of its connection, before everything else that the gateway said on it.
CREATE TABLE gateway_status (
    gateway_id  text PRIMARY KEY,
    online      boolean     NOT NULL,
    status_at   timestamptz NOT NULL, -- by the gateway's clock
    received_at timestamptz NOT NULL
);

-- Where each reading of a gateway ended, per UTC day of receipt.
CREATE TABLE gateway_days (
    gateway_id text NOT NULL,
    day        date NOT NULL,
    received   bigint NOT NULL DEFAULT 0,
    stored     bigint NOT NULL DEFAULT 0,
    duplicate  bigint NOT NULL DEFAULT 0,
    revision   bigint NOT NULL DEFAULT 0,
    rejected   bigint NOT NULL DEFAULT 0,
    parked     bigint NOT NULL DEFAULT 0,
    last_received_at timestamptz,
    PRIMARY KEY (gateway_id, day)
);

-- Newest and oldest reading of each circuit; saves a scan over (compressed) history.
CREATE TABLE latest (
    circuit_key int PRIMARY KEY,
    first_ts    timestamptz NOT NULL,
    ts          timestamptz NOT NULL,
    p           int,
    received_at timestamptz
);

-- Local days of an enterprise whose readings (or registry) changed since they were analysed.
CREATE SEQUENCE dirty_mark;
CREATE TABLE dirty_days (
    enterprise_key int    NOT NULL,
    day            date   NOT NULL,
    mark           bigint NOT NULL,
    PRIMARY KEY (enterprise_key, day)
);

-- Local days on which an enterprise has readings at all.
CREATE TABLE data_days (
    enterprise_key int  NOT NULL,
    day            date NOT NULL,
    PRIMARY KEY (enterprise_key, day)
);
