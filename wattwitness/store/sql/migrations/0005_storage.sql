-- The form of readings (docs/decisions/0004), rollups, retention, and what maintenance did.

-- Rows written from here on say in `form` how their counts are to be read, keep the delay of their
-- receipt instead of its instant, and `resent` as a bit of the form. Older rows stay as they are.
ALTER TABLE readings ADD COLUMN form smallint;
ALTER TABLE readings ADD COLUMN delay_s int; -- from ts to receipt, whole seconds, rounded down
ALTER TABLE readings ALTER COLUMN resent DROP NOT NULL;

-- The finest steps in one step of a kind: 0 = p, 1 = e, 2 = q, 3 = u, 4 = i, 5 = pf.
CREATE FUNCTION reading_step(form smallint, kind int) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE coalesce(form, 0) >> 2 * kind & 3 WHEN 0 THEN 1 WHEN 1 THEN 10 WHEN 2 THEN 100
           ELSE 1000 END
$$;

-- A row's counts in the finest steps (W, Wh, var, 0.1 V, 0.01 A, 0.0001), as
-- wattwitness/store/forms.py restores them: the same operations in the same order.
CREATE FUNCTION reading_counts(
    form smallint, p int, e bigint, q int, u_a int, u_b int, u_c int, i_a int, i_b int, i_c int,
    pf smallint
) RETURNS TABLE (p int, e bigint, q int, u_a int, u_b int, u_c int, i_a int, i_b int, i_c int,
                 pf smallint)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT w.p, $3 * reading_step($1, 1), w.q,
           v.a * s.u, v.b * s.u, v.c * s.u, ia.n * s.i, ib.n * s.i, ic.n * s.i,
           (($11 + CASE WHEN $1 IS NULL THEN 0 WHEN w.va > 0
                   THEN round(coalesce(w.p, 0)::float8 / w.va * 10000 / s.pf)
                   ELSE round(10000::float8 / s.pf) END) * s.pf)::smallint
    FROM (SELECT reading_step($1, 3) AS u, reading_step($1, 4) AS i, reading_step($1, 5) AS pf,
                 $1 IS NOT NULL AS formed) s
    CROSS JOIN LATERAL (
        SELECT x.p, x.q, sqrt(coalesce(x.p, 0)::float8 * coalesce(x.p, 0)::float8
                              + coalesce(x.q, 0)::float8 * coalesce(x.q, 0)::float8) AS va
        FROM (SELECT $2 * reading_step($1, 0) AS p, $4 * reading_step($1, 2) AS q) x) w
    CROSS JOIN LATERAL (SELECT $5 AS a, $6 + CASE WHEN s.formed THEN coalesce($5, 0) ELSE 0 END
                               AS b) ab
    CROSS JOIN LATERAL (
        SELECT ab.a, ab.b, $7 + CASE WHEN s.formed
               THEN coalesce(ab.a, 0) + coalesce(ab.b, 0) >> 1 ELSE 0 END AS c) v
    CROSS JOIN LATERAL (
        SELECT $8 + CASE WHEN s.formed AND v.a > 0
               THEN round(least(w.va / (v.a * s.u) * 1000 / 3 / s.i, 1e8))::int ELSE 0 END AS n) ia
    CROSS JOIN LATERAL (
        SELECT $9 + CASE WHEN NOT s.formed THEN 0 WHEN v.b > 0
               THEN round(greatest(least((coalesce(ia.n, 0)::bigint * coalesce(v.a, 0))::float8
                                         / v.b, 1e8), -1e8))::int
               ELSE greatest(least(coalesce(ia.n, 0), 100000000), -100000000) END AS n) ib
    CROSS JOIN LATERAL (
        SELECT $10 + CASE WHEN NOT s.formed THEN 0 WHEN v.c > 0
               THEN round(greatest(least((coalesce(ia.n, 0)::bigint * coalesce(v.a, 0)
                                          + coalesce(ib.n, 0)::bigint * coalesce(v.b, 0))::float8
                                         / (2 * v.c), 1e8), -1e8))::int
               ELSE greatest(least(coalesce(ia.n, 0), 100000000), -100000000) END AS n) ic
$$;

-- Readings in physical units, for whoever looks at them with SQL. Sums over long spans are faster
-- on the table itself, scaled after they are made.
CREATE VIEW readings_measured AS
SELECT circuit_key, ts, c.p / 1000::float8 AS p_kw, c.e / 1000::float8 AS e_kwh,
       c.q / 1000::float8 AS q_kvar,
       c.u_a / 10::float8 AS u_a, c.u_b / 10::float8 AS u_b, c.u_c / 10::float8 AS u_c,
       c.i_a / 100::float8 AS i_a, c.i_b / 100::float8 AS i_b, c.i_c / 100::float8 AS i_c,
       c.pf / 10000::float8 AS pf,
       coalesce(resent, form & 4096 > 0) AS resent,
       coalesce(received_at, ts + delay_s * INTERVAL '1 second') AS received_at
FROM readings r
CROSS JOIN LATERAL reading_counts(r.form, r.p, r.e, r.q, r.u_a, r.u_b, r.u_c, r.i_a, r.i_b, r.i_c,
                                  r.pf) c;

-- Power and registers per circuit and quarter of an hour, kept by the program in every mode.
CREATE TABLE rollups (
    circuit_key int         NOT NULL,
    bucket      timestamptz NOT NULL, -- its start, whole quarters of UTC
    n           int         NOT NULL, -- readings
    p_n         int         NOT NULL, -- readings with power
    p_min       int,      -- W
    p_max       int,
    p_sum       bigint,
    e_first     bigint,   -- Wh: the first and the last register, and when, in µs after the start
    e_last      bigint,
    e_first_us  int,
    e_last_us   int,
    PRIMARY KEY (circuit_key, bucket)
);
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        IF EXISTS (SELECT FROM timescaledb_information.hypertables
                   WHERE hypertable_name = 'readings') THEN
            -- a batch of the columnstore holds at most 1,000 rows: two days of minutes fill three
            PERFORM set_chunk_time_interval('readings', INTERVAL '2 days');
            PERFORM create_hypertable('rollups', by_range('bucket', INTERVAL '20 days'),
                                      create_default_indexes => false);
        END IF;
    END IF;
END
$$;

-- Which hours of which circuits each ingest transaction touched: one row a transaction, so that
-- ingests never wait for each other or for the rollups. Folded into dirty_hours by one process.
-- A group is 16 neighbouring circuit keys (key >> 4): it never changes, whoever owns the circuits.
CREATE TABLE touched_hours (
    touched_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    groups     int[] NOT NULL, -- parallel to
    hours      int[] NOT NULL  -- UTC hours since 1970
);
CREATE TABLE dirty_hours (
    circuit_group int NOT NULL,
    hour          int NOT NULL, -- UTC hours since 1970
    PRIMARY KEY (circuit_group, hour)
);
INSERT INTO dirty_hours
SELECT DISTINCT circuit_key >> 4, (extract(epoch FROM day) / 3600)::int + h
FROM circuits JOIN gateways USING (gateway_key) JOIN data_days USING (enterprise_key)
CROSS JOIN generate_series(-14, 38) AS h;  -- local days, in any zone

-- Raw readings before this instant were dropped (retention), in every table of ours.
CREATE TABLE retention (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    raw_from timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO retention DEFAULT VALUES;

-- What maintenance did, one row a step.
CREATE TABLE maintenance_log (
    step_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    began_at     timestamptz NOT NULL,
    seconds      float8      NOT NULL,
    step         text        NOT NULL, -- compress, recompress, drop, rollup, forget, …
    object       text,                 -- chunk, partition or table
    rows_before  bigint,
    rows_after   bigint,
    bytes_before bigint,
    bytes_after  bigint,
    error        text                  -- NULL = it was done
);
CREATE INDEX maintenance_log_began ON maintenance_log (began_at);
