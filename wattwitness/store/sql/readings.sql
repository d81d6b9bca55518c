-- name: stage
-- A batch that met a duplicate takes this detour; one that did not never pays for it.
CREATE TEMP TABLE IF NOT EXISTS staged (LIKE readings) ON COMMIT DELETE ROWS

-- name: unstage
TRUNCATE staged

-- name: insert_staged
-- staged rows know their receipt exactly; the table keeps its delay, where that fits
WITH stored AS (
    INSERT INTO readings (circuit_key, ts, p, e, q, u_a, u_b, u_c, i_a, i_b, i_c, pf, form, delay_s,
                          received_at)
    SELECT circuit_key, ts, p, e, q, u_a, u_b, u_c, i_a, i_b, i_c, pf, form, delay_s,
           CASE WHEN delay_s IS NULL THEN received_at END
    FROM staged ORDER BY circuit_key, ts
    ON CONFLICT DO NOTHING
    RETURNING circuit_key, ts
)
SELECT array_agg(circuit_key) AS keys,
       array_agg((extract(epoch FROM ts) * 1000000)::bigint) AS instants_us
FROM stored

-- name: note_revisions
-- Values that differ from what is stored under their key, unless already noted. They are compared
-- as counts of the finest steps: two rows may be written in different forms.
WITH differing AS MATERIALIZED ( -- most are the same to the letter; the rest is few
    SELECT s.*
    FROM staged s
    CROSS JOIN LATERAL ( -- by its key each, whatever the planner thinks of an empty-looking table
        SELECT * FROM readings r
        WHERE r.circuit_key = s.circuit_key AND r.ts = s.ts
          AND r.ts BETWEEN $1::timestamptz AND $2::timestamptz
        LIMIT 1
    ) r
    WHERE (s.p, s.e, s.q, s.u_a, s.u_b, s.u_c, s.i_a, s.i_b, s.i_c, s.pf, s.form & 4095)
          IS DISTINCT FROM
          (r.p, r.e, r.q, r.u_a, r.u_b, r.u_c, r.i_a, r.i_b, r.i_c, r.pf, r.form & 4095)
),
said AS (
    SELECT s.circuit_key, s.ts, s.form, s.received_at, c AS counts
    FROM differing s
    CROSS JOIN LATERAL reading_counts(s.form, s.p, s.e, s.q, s.u_a, s.u_b, s.u_c, s.i_a, s.i_b,
                                      s.i_c, s.pf) c
),
noted AS (
    INSERT INTO revisions (circuit_key, ts, p, e, q, u_a, u_b, u_c, i_a, i_b, i_c, pf,
                           resent, received_at)
    SELECT DISTINCT ON (s.circuit_key, s.ts, s.counts)
           s.circuit_key, s.ts, (s.counts).*, s.form & 4096 > 0, s.received_at
    FROM said s
    CROSS JOIN LATERAL (
        SELECT * FROM readings r
        WHERE r.circuit_key = s.circuit_key AND r.ts = s.ts
          AND r.ts BETWEEN $1::timestamptz AND $2::timestamptz
        LIMIT 1
    ) r
    CROSS JOIN LATERAL reading_counts(r.form, r.p, r.e, r.q, r.u_a, r.u_b, r.u_c, r.i_a, r.i_b,
                                      r.i_c, r.pf) c
    WHERE s.counts IS DISTINCT FROM c
      AND NOT EXISTS (
          SELECT FROM revisions v
          WHERE v.circuit_key = s.circuit_key AND v.ts = s.ts
            AND s.counts IS NOT DISTINCT FROM
                ROW (v.p, v.e, v.q, v.u_a, v.u_b, v.u_c, v.i_a, v.i_b, v.i_c, v.pf))
    RETURNING circuit_key, received_at
)
SELECT circuit_key, received_at, count(*) AS n FROM noted GROUP BY circuit_key, received_at

-- name: update_latest
-- Instants are µs since 1970, and arrays are text: that costs the driver least.
INSERT INTO latest AS l (circuit_key, first_ts, ts, p, received_at)
SELECT key, 'epoch'::timestamptz + first_us * INTERVAL '1 microsecond',
       'epoch'::timestamptz + last_us * INTERVAL '1 microsecond', p,
       'epoch'::timestamptz + received_us * INTERVAL '1 microsecond'
FROM unnest($1::text::int[], $2::text::bigint[], $3::text::bigint[], $4::text::int[],
            $5::text::bigint[]) AS t (key, first_us, last_us, p, received_us)
ON CONFLICT (circuit_key) DO UPDATE SET
    first_ts = least(l.first_ts, excluded.first_ts),
    p = CASE WHEN excluded.ts > l.ts THEN excluded.p ELSE l.p END,
    received_at = CASE WHEN excluded.ts > l.ts THEN excluded.received_at ELSE l.received_at END,
    ts = greatest(l.ts, excluded.ts)

-- name: leave_marks
-- What a batch leaves beside its rows, in one statement: each one more is a round trip in which the
-- database has nothing to do. $1-$2 days of enterprises, $3-$4 hours of groups of circuits,
-- $5-$13 counts of gateways (receipts are µs since 1970), $14-$16 how far epochs go.
WITH days AS (
    SELECT e, d FROM unnest($1::int[], $2::date[]) AS t (e, d)
), had_data AS (
    INSERT INTO data_days (enterprise_key, day) SELECT e, d FROM days
    ON CONFLICT DO NOTHING
), dirty AS (
    INSERT INTO dirty_days (enterprise_key, day, mark) SELECT e, d, nextval('dirty_mark') FROM days
    ON CONFLICT (enterprise_key, day) DO UPDATE SET mark = excluded.mark
), touched AS (
    INSERT INTO touched_hours (groups, hours) SELECT $3, $4::int[] WHERE cardinality($3::int[]) > 0
), progress AS (
    INSERT INTO gateway_epochs AS g (gateway_id, epoch, seq, highest)
    SELECT gateway_id, epoch, seq, seq
    FROM unnest($14::text[], $15::text[], $16::bigint[]) AS t (gateway_id, epoch, seq)
    ON CONFLICT (gateway_id, epoch) DO UPDATE SET
        seq = greatest(g.seq, excluded.seq), highest = greatest(g.highest, excluded.highest),
        touched_at = now()
)
INSERT INTO gateway_days AS g (gateway_id, day, received, stored, duplicate, revision, rejected,
                               first_received_at, last_received_at)
SELECT gateway_id, day, received, stored, duplicate, revision, rejected,
       'epoch'::timestamptz + first_us * INTERVAL '1 microsecond',
       'epoch'::timestamptz + last_us * INTERVAL '1 microsecond'
FROM unnest($5::text[], $6::date[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[],
            $11::bigint[], $12::bigint[], $13::bigint[])
     AS t (gateway_id, day, received, stored, duplicate, revision, rejected, first_us, last_us)
ON CONFLICT (gateway_id, day) DO UPDATE SET
    received = g.received + excluded.received,
    stored = g.stored + excluded.stored,
    duplicate = g.duplicate + excluded.duplicate,
    revision = g.revision + excluded.revision,
    rejected = g.rejected + excluded.rejected,
    first_received_at = least(g.first_received_at, excluded.first_received_at),
    last_received_at = greatest(g.last_received_at, excluded.last_received_at)

-- name: data_range
SELECT min(first_ts) AS first_ts, max(ts) AS last_ts FROM latest
WHERE $1::int[] IS NULL OR circuit_key = ANY ($1)

-- name: reach
SELECT circuit_key, first_ts, least(ts, received_at) AS newest FROM latest
WHERE circuit_key = ANY ($1::int[])

-- name: mark_behind
INSERT INTO latest_behind (writer, circuits) VALUES ($1, $2::text::int[]) RETURNING behind_id

-- name: left_behind
SELECT behind_id, circuits FROM latest_behind
WHERE ($1::text IS NOT NULL AND writer = $1)
   OR ($1::text IS NULL AND marked_at < now() - $2::float8 * INTERVAL '1 second')
ORDER BY behind_id FOR UPDATE SKIP LOCKED

-- name: forget_behind
DELETE FROM latest_behind WHERE behind_id = ANY ($1::bigint[])

-- name: mend_latest
INSERT INTO latest AS l (circuit_key, first_ts, ts, p, received_at)
SELECT k, f.ts, n.ts, n.p, n.received_at
FROM unnest($1::int[]) AS k
CROSS JOIN LATERAL (SELECT ts FROM readings WHERE circuit_key = k ORDER BY ts LIMIT 1) f
CROSS JOIN LATERAL (
    SELECT r.ts, r.p * reading_step(r.form, 0) AS p,
           coalesce(r.received_at, r.ts + r.delay_s * INTERVAL '1 second') AS received_at
    FROM readings r WHERE circuit_key = k ORDER BY ts DESC LIMIT 1
) n
ORDER BY k
ON CONFLICT (circuit_key) DO UPDATE SET
    first_ts = least(l.first_ts, excluded.first_ts),
    p = CASE WHEN excluded.ts > l.ts THEN excluded.p ELSE l.p END,
    received_at = CASE WHEN excluded.ts > l.ts THEN excluded.received_at ELSE l.received_at END,
    ts = greatest(l.ts, excluded.ts)

-- name: mark_dirty_again
INSERT INTO dirty_days (enterprise_key, day, mark)
SELECT e, d, nextval('dirty_mark') FROM unnest($1::int[], $2::date[]) AS t (e, d)
ON CONFLICT DO NOTHING

-- name: mark_dirty_latest
INSERT INTO dirty_days (enterprise_key, day, mark)
SELECT enterprise_key, day, nextval('dirty_mark')
FROM (SELECT DISTINCT g.enterprise_key, (l.ts AT TIME ZONE $2)::date AS day
      FROM latest l JOIN circuits USING (circuit_key) JOIN gateways g USING (gateway_key)
      WHERE l.circuit_key = ANY ($1::int[])
      ORDER BY 1, 2) t
ON CONFLICT (enterprise_key, day) DO UPDATE SET mark = excluded.mark

-- name: keep_gaps
-- What was given up is added once: writing the same batch again moves nothing forward.
INSERT INTO gateway_epochs AS g (gateway_id, epoch, seq, highest, first_missing, last_missing,
                                 missing_count, given_up, began_middle, missing_since)
SELECT gateway_id, epoch, seq, highest, first_missing, last_missing, missing, given_up,
       began_middle, CASE WHEN missing > 0 THEN now() END
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
            $7::bigint[], $8::bigint[], $9::boolean[])
     AS t (gateway_id, epoch, seq, highest, first_missing, last_missing, missing, given_up,
           began_middle)
ON CONFLICT (gateway_id, epoch) DO UPDATE SET
    seq = greatest(g.seq, excluded.seq),
    highest = greatest(g.highest, excluded.highest),
    first_missing = excluded.first_missing,
    last_missing = excluded.last_missing,
    missing_count = excluded.missing_count,
    given_up = g.given_up
        + CASE WHEN g.seq IS NULL OR excluded.seq > g.seq THEN excluded.given_up ELSE 0 END,
    began_middle = g.began_middle OR excluded.began_middle,
    missing_since = CASE WHEN excluded.missing_count = 0 THEN NULL
                    ELSE coalesce(g.missing_since, now()) END,
    touched_at = now()

-- name: end_epochs
UPDATE gateway_epochs g SET ended_at = now()
FROM (SELECT gateway_id, array_agg(epoch) AS begun
      FROM unnest($1::text[], $2::text[]) AS t (gateway_id, epoch) GROUP BY gateway_id) t
WHERE g.gateway_id = t.gateway_id AND g.ended_at IS NULL AND NOT g.epoch = ANY (t.begun)

-- name: keep_aside
INSERT INTO set_aside (gateway_id, messages, bytes, payloads) VALUES ($1, $2, $3, $4)

-- name: take_aside
DELETE FROM set_aside WHERE aside_id = ANY ($1::bigint[])

-- name: aside_bytes
SELECT gateway_id, sum(bytes)::bigint AS bytes FROM set_aside GROUP BY gateway_id

-- name: oldest_aside
SELECT aside_id, gateway_id, payloads FROM set_aside
WHERE aside_id = (SELECT min(aside_id) FROM set_aside GROUP BY gateway_id
                  ORDER BY count(*), min(aside_id) LIMIT 1)
