-- name: take
-- Analyses take turns (`days.analysing`); whoever writes without it must not interleave.
SELECT enterprise_key, pg_advisory_xact_lock($2, enterprise_key), coalesce(array_agg(circuit_id) FILTER (WHERE circuit_id IS NOT NULL), '{}')
           AS circuits,
       first_analysable($3) AS first,
       coalesce(array_agg(circuit_key) FILTER (WHERE circuit_id IS NOT NULL), '{}') AS keys
FROM enterprises LEFT JOIN gateways USING (enterprise_key) LEFT JOIN circuits USING (gateway_key)
WHERE enterprise_id = $1
GROUP BY enterprise_key

-- name: clear
WITH states AS (
    DELETE FROM state_spells WHERE circuit_key = ANY ($1::int[]) AND day = ANY ($3::date[])
), quality AS (
    DELETE FROM day_quality WHERE circuit_key = ANY ($1::int[]) AND day = ANY ($3::date[])
), thresholds AS (
    DELETE FROM day_thresholds WHERE circuit_key = ANY ($1::int[]) AND day = ANY ($3::date[])
), facts AS (
    DELETE FROM fact_days WHERE enterprise_key = $2 AND day = ANY ($3::date[])
), ends AS (
    DELETE FROM day_ends
    WHERE enterprise_key = $2
          AND (day = ANY ($3::date[]) OR day < (SELECT max(d) FROM unnest($3::date[]) d) - $4::int)
)
DELETE FROM spell_days WHERE enterprise_key = $2 AND day = ANY ($3::date[])

-- name: insert
WITH quality AS (
    INSERT INTO day_quality (circuit_key, day, expected, received, valid, in_time)
    SELECT * FROM unnest($2::int[], $3::date[], $4::int[], $5::int[], $6::int[], $7::int[])
), thresholds AS (
    INSERT INTO day_thresholds (circuit_key, day, standby_kw, standby_release_kw, running_kw,
                                running_release_kw, running_level_kw, basis)
    SELECT * FROM unnest($8::int[], $9::date[], $10::float8[], $11::float8[], $12::float8[],
                         $13::float8[], $14::float8[], $15::text[])
), facts AS (
    INSERT INTO fact_days (enterprise_key, day, head, numbers)
    SELECT $1, * FROM unnest($16::date[], $17::text[], $18::bytea[])
), ends AS (
    INSERT INTO day_ends (enterprise_key, day, head, numbers)
    SELECT $1, * FROM unnest($22::date[], $23::text[], $24::bytea[])
), histograms AS (
    INSERT INTO day_histograms (circuit_key, day, bins)
    SELECT * FROM unnest($25::int[], $26::date[], $27::bytea[])
    ON CONFLICT (circuit_key, day) DO UPDATE SET bins = excluded.bins
    WHERE day_histograms.bins <> excluded.bins
)
INSERT INTO spell_days (enterprise_key, day, head, numbers)
SELECT $1, * FROM unnest($19::date[], $20::text[], $21::bytea[])

-- name: load_histograms
SELECT circuit_id, day, bins FROM day_histograms JOIN circuits USING (circuit_key)
WHERE circuit_id = ANY ($1::text[]) AND day BETWEEN $2 AND $3
ORDER BY circuit_id, day

-- name: load_thresholds
SELECT circuit_id, day, standby_kw, standby_release_kw, running_kw, running_release_kw,
       running_level_kw, basis
FROM day_thresholds JOIN circuits USING (circuit_key)
WHERE circuit_id = ANY ($1::text[]) AND day BETWEEN $2 AND $3

-- name: newest_thresholds
SELECT circuit_id, newest.*
FROM circuits c CROSS JOIN LATERAL (
    SELECT standby_kw, standby_release_kw, running_kw, running_release_kw, running_level_kw, basis
    FROM day_thresholds t WHERE t.circuit_key = c.circuit_key AND day BETWEEN $2 AND $3
    ORDER BY day DESC LIMIT 1
) newest
WHERE circuit_id = ANY ($1::text[])

-- name: load_spells
SELECT head, numbers FROM spell_days JOIN enterprises USING (enterprise_key)
WHERE enterprise_id = $1 AND ($2::date IS NULL OR day >= $2) ORDER BY day

-- name: load_facts
SELECT day, head, numbers FROM fact_days JOIN enterprises USING (enterprise_key)
WHERE enterprise_id = $1 AND ($2::date IS NULL OR day >= $2) ORDER BY day

-- name: load_ends
-- A day that changed will be judged again, and the one after it.
SELECT day, head, numbers FROM day_ends e JOIN enterprises USING (enterprise_key)
WHERE enterprise_id = $1 AND day = ANY ($2::date[])
      AND NOT EXISTS (SELECT FROM dirty_days d
                      WHERE d.enterprise_key = e.enterprise_key AND d.day = e.day)

-- name: list_states
-- whole spells, not cut to the range: days are joined on the way out
SELECT circuit_id, from_at, to_at, state FROM state_spells JOIN circuits USING (circuit_key)
WHERE ($1::text[] IS NULL OR circuit_id = ANY ($1)) AND from_at < $3 AND to_at > $2
ORDER BY circuit_id, from_at

-- name: list_quality
SELECT circuit_id, day, expected, received, valid, in_time
FROM day_quality JOIN circuits USING (circuit_key)
WHERE ($1::text[] IS NULL OR circuit_id = ANY ($1))
  AND ($2::date IS NULL OR day >= $2) AND ($3::date IS NULL OR day <= $3)
ORDER BY circuit_id, day
