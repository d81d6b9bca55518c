-- Readings on TimescaleDB: a hypertable with one-day chunks. Same columns as the plain table.

CREATE TABLE readings (
    circuit_key int         NOT NULL,
    ts          timestamptz NOT NULL,
    p           int,      -- W
    e           bigint,   -- Wh
    q           int,      -- var
    u_a         int,      -- 0.1 V
    u_b         int,
    u_c         int,
    i_a         int,      -- 0.01 A
    i_b         int,
    i_c         int,
    pf          smallint, -- 0.0001
    resent      boolean     NOT NULL,
    received_at timestamptz,
    PRIMARY KEY (circuit_key, ts)
);
SELECT create_hypertable(
    'readings', by_range('ts', INTERVAL '1 day'), create_default_indexes => false
);
