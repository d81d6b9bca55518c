-- name: stage
-- A batch that met a duplicate takes this detour; one that did not never pays for it.
CREATE TEMP TABLE staged ON COMMIT DROP AS SELECT * FROM readings WHERE false

-- name: insert_staged
INSERT INTO readings SELECT * FROM staged ORDER BY circuit_key, ts
ON CONFLICT DO NOTHING
RETURNING circuit_key, (extract(epoch FROM ts) * 1000000)::bigint AS ts_us

-- name: note_revisions
-- Values that differ from what is stored under their key, unless already noted.
WITH noted AS (
    INSERT INTO revisions (circuit_key, ts, p, e, q, u_a, u_b, u_c, i_a, i_b, i_c, pf,
                           resent, received_at)
    SELECT DISTINCT ON (s.circuit_key, s.ts, s.p, s.e, s.q, s.u_a, s.u_b, s.u_c, s.i_a, s.i_b,
                        s.i_c, s.pf) s.*
    FROM staged s JOIN readings r USING (circuit_key, ts)
    WHERE (s.p, s.e, s.q, s.u_a, s.u_b, s.u_c, s.i_a, s.i_b, s.i_c, s.pf)
          IS DISTINCT FROM (r.p, r.e, r.q, r.u_a, r.u_b, r.u_c, r.i_a, r.i_b, r.i_c, r.pf)
      AND NOT EXISTS (
          SELECT FROM revisions v
          WHERE v.circuit_key = s.circuit_key AND v.ts = s.ts
            AND (s.p, s.e, s.q, s.u_a, s.u_b, s.u_c, s.i_a, s.i_b, s.i_c, s.pf)
                IS NOT DISTINCT FROM
                (v.p, v.e, v.q, v.u_a, v.u_b, v.u_c, v.i_a, v.i_b, v.i_c, v.pf))
    RETURNING circuit_key
)
SELECT circuit_key, count(*) AS n FROM noted GROUP BY circuit_key

-- name: update_latest
INSERT INTO latest AS l (circuit_key, first_ts, ts, p, received_at)
SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[], $4::int[], $5::timestamptz[])
ON CONFLICT (circuit_key) DO UPDATE SET
    first_ts = least(l.first_ts, excluded.first_ts),
    p = CASE WHEN excluded.ts > l.ts THEN excluded.p ELSE l.p END,
    received_at = CASE WHEN excluded.ts > l.ts THEN excluded.received_at ELSE l.received_at END,
    ts = greatest(l.ts, excluded.ts)

-- name: mark_data_days
INSERT INTO data_days (enterprise_key, day) SELECT * FROM unnest($1::int[], $2::date[])
ON CONFLICT DO NOTHING

-- name: mark_dirty_days
INSERT INTO dirty_days (enterprise_key, day, mark)
SELECT e, d, nextval('dirty_mark') FROM unnest($1::int[], $2::date[]) AS t (e, d)
ON CONFLICT (enterprise_key, day) DO UPDATE SET mark = excluded.mark

-- name: count_gateway_day
INSERT INTO gateway_days AS g (gateway_id, day, received, stored, duplicate, revision, rejected,
                               parked, last_received_at)
SELECT t.gateway_id, (now() AT TIME ZONE 'UTC')::date, t.received, t.stored, t.duplicate,
       t.revision, t.rejected, t.parked, now()
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
            $7::bigint[])
     AS t (gateway_id, received, stored, duplicate, revision, rejected, parked)
ON CONFLICT (gateway_id, day) DO UPDATE SET
    received = g.received + excluded.received,
    stored = g.stored + excluded.stored,
    duplicate = g.duplicate + excluded.duplicate,
    revision = g.revision + excluded.revision,
    rejected = g.rejected + excluded.rejected,
    parked = g.parked + excluded.parked,
    last_received_at = excluded.last_received_at

-- name: keep_rejects
INSERT INTO rejects (received_at, gateway_id, code, reason, item, payload, digest)
SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bytea[],
                     $7::bytea[])
ON CONFLICT (digest) DO NOTHING
RETURNING gateway_id, 1 AS readings

-- name: keep_parked
INSERT INTO parked (received_at, gateway_id, channel, readings, payload, digest)
SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::int[], $5::bytea[], $6::bytea[])
ON CONFLICT (digest) DO NOTHING
RETURNING gateway_id, readings

-- name: remove_parked
DELETE FROM parked WHERE parked_id = ANY ($1)

-- name: keep_epochs
INSERT INTO gateway_epochs AS g (gateway_id, epoch, seq)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
ON CONFLICT (gateway_id, epoch) DO UPDATE SET
    seq = greatest(g.seq, excluded.seq), touched_at = now()

-- name: data_range
SELECT min(first_ts) AS first_ts, max(ts) AS last_ts FROM latest
WHERE $1::int[] IS NULL OR circuit_key = ANY ($1)
