-- Readings on plain PostgreSQL: native partitions of one UTC day each, made ahead by the program.
-- No DEFAULT partition (rows in it would block the making of the right one), no foreign key
-- (it costs most of the ingest rate), no index beside the key.

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
) PARTITION BY RANGE (ts);
