-- name: fold
WITH taken AS (DELETE FROM touched_hours RETURNING groups, hours)
INSERT INTO dirty_hours
SELECT DISTINCT g, h FROM taken CROSS JOIN LATERAL unnest(taken.groups, taken.hours) AS t (g, h)
ON CONFLICT DO NOTHING

-- name: forget_dropped
-- hours whose readings were dropped keep what was computed from them
DELETE FROM dirty_hours USING retention
WHERE raw_from > '-infinity' AND hour < extract(epoch FROM raw_from) / 3600

-- name: take
SELECT circuit_group, hour FROM dirty_hours WHERE hour < $1 ORDER BY circuit_group, hour LIMIT $2

-- name: no_limit
SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0

-- name: clear
DELETE FROM rollups WHERE circuit_key = ANY ($1::int[]) AND bucket >= $2 AND bucket < $3

-- name: unmark
DELETE FROM dirty_hours WHERE circuit_group = ANY ($1::int[]) AND hour >= $2 AND hour < $3

-- name: load
SELECT circuit_key, bucket, n, p_n, p_min, p_max, p_sum, e_first, e_last, e_first_us, e_last_us
FROM rollups WHERE circuit_key = ANY ($1::int[]) AND bucket >= $2 AND bucket < $3
ORDER BY circuit_key, bucket

-- name: marked
-- Hours in [$2, $3) whose rollups of these groups of circuits are not to be believed (yet).
WITH floor AS (
    SELECT CASE WHEN raw_from > '-infinity' THEN ceil(extract(epoch FROM raw_from) / 3600)::int
           ELSE -2147483648 END AS hour
    FROM retention
)
SELECT hour FROM (
    SELECT hour FROM dirty_hours WHERE circuit_group = ANY ($1::int[])
    UNION
    SELECT h FROM touched_hours t CROSS JOIN LATERAL unnest(t.groups, t.hours) AS u (g, h)
    WHERE g = ANY ($1::int[])
) found
WHERE hour >= greatest($2, (SELECT hour FROM floor)) AND hour < $3
ORDER BY hour

-- name: bands_of_rollups
SELECT circuit_key, ((extract(epoch FROM bucket) * 1000000)::bigint - $4) / $5 AS bucket,
       sum(p_sum)::bigint AS total, min(p_min) AS low, max(p_max) AS high, sum(p_n)::bigint AS n
FROM rollups
WHERE circuit_key = ANY ($1::int[]) AND bucket >= $2 AND bucket < $3 AND p_n > 0
GROUP BY 1, 2

-- name: bands_of_readings
-- Sums are made per form and scaled afterwards: a step for each row would cost most of the speed.
SELECT circuit_key, bucket, sum(total * step)::bigint AS total, min(low * step) AS low,
       max(high * step) AS high, sum(n)::bigint AS n
FROM (
    SELECT circuit_key, ((extract(epoch FROM ts) * 1000000)::bigint - $4) / $5 AS bucket,
           reading_step(form, 0) AS step,
           sum(p) AS total, min(p) AS low, max(p) AS high, count(*) AS n
    FROM readings
    WHERE circuit_key = ANY ($1::int[]) AND ts >= $2 AND ts < $3 AND p IS NOT NULL
    GROUP BY 1, 2, form
) parts
GROUP BY 1, 2
