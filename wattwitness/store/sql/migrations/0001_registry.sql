-- The registry: one table per import file. Text ids are the outside's; integer keys are ours and
-- never change, because readings carry them.

CREATE TABLE registry_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    revision bigint NOT NULL DEFAULT 0
);
INSERT INTO registry_state DEFAULT VALUES;

CREATE TABLE enterprises (
    enterprise_key int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enterprise_id  text NOT NULL UNIQUE,
    name           text NOT NULL,
    credit_code    text,
    district       text,
    industry       text,
    grade          text NOT NULL,
    lon            float8,
    lat            float8,
    positive_list  boolean NOT NULL,
    verified_from  timestamptz,
    verified_to    timestamptz
);

CREATE TABLE gateways (
    gateway_key    int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway_id     text NOT NULL UNIQUE,
    enterprise_key int NOT NULL REFERENCES enterprises,
    protocol       text NOT NULL,
    interval_s     int NOT NULL CHECK (interval_s > 0),
    mn             text
);

CREATE TABLE circuits (
    circuit_key             int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    circuit_id              text NOT NULL UNIQUE,
    gateway_key             int NOT NULL REFERENCES gateways,
    channel                 text NOT NULL,
    role                    text NOT NULL,
    name                    text,
    line                    text,
    rated_kw                float8,
    resolution_kw           float8,
    register_resolution_kwh float8 NOT NULL,
    nominal_v               float8 NOT NULL,
    parent_circuit_id       text,
    UNIQUE (gateway_key, channel) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE pairings (
    pairing_id    text PRIMARY KEY,
    production    text[] NOT NULL,
    treatment     text[] NOT NULL,
    require       text NOT NULL,
    lead_min      float8 NOT NULL,
    start_lag_min float8 NOT NULL,
    stop_lag_min  float8 NOT NULL,
    duty_cycled   boolean NOT NULL
);

CREATE TABLE measures (
    enterprise_id text NOT NULL,
    level         text NOT NULL,
    action        text NOT NULL,
    scope         text[] NOT NULL,
    limit_pct     float8,
    hours_from    time,
    hours_to      time,
    grace_min     float8,
    PRIMARY KEY (enterprise_id, level, action, scope)
);

CREATE TABLE alerts (
    alert_id      text PRIMARY KEY,
    level         text NOT NULL,
    issued_at     timestamptz NOT NULL,
    response_from timestamptz NOT NULL,
    lifted_at     timestamptz,
    districts     text[] NOT NULL
);

CREATE TABLE declarations (
    enterprise_id text NOT NULL,
    from_at       timestamptz NOT NULL,
    to_at         timestamptz NOT NULL,
    reason        text NOT NULL,
    circuits      text[] NOT NULL,
    status        text NOT NULL,
    PRIMARY KEY (enterprise_id, from_at, reason, circuits)
);

CREATE TABLE inspections (
    enterprise_id text NOT NULL,
    from_at       timestamptz NOT NULL,
    to_at         timestamptz NOT NULL,
    PRIMARY KEY (enterprise_id, from_at)
);
