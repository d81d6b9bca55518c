-- name: circuit_keys
SELECT circuit_id, circuit_key FROM circuits JOIN gateways USING (gateway_key)
WHERE enterprise_key = $1

-- name: clear_states
DELETE FROM state_spells WHERE circuit_key = ANY ($1::int[]) AND day = ANY ($2::date[])

-- name: clear_quality
DELETE FROM day_quality WHERE circuit_key = ANY ($1::int[]) AND day = ANY ($2::date[])

-- name: clear_thresholds
DELETE FROM day_thresholds WHERE circuit_key = ANY ($1::int[]) AND day = ANY ($2::date[])

-- name: clear_spells
DELETE FROM condition_spells WHERE enterprise_key = $1 AND day = ANY ($2::date[])

-- name: clear_facts
DELETE FROM day_facts WHERE enterprise_key = $1 AND day = ANY ($2::date[])

-- name: insert_spell
INSERT INTO condition_spells (enterprise_key, day, kind, subject, from_at, to_at, sums)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: save_histogram
INSERT INTO day_histograms (circuit_key, day, counts)
SELECT circuit_key, $2, $3::int[] FROM circuits WHERE circuit_id = $1
ON CONFLICT (circuit_key, day) DO UPDATE SET counts = excluded.counts

-- name: load_histograms
SELECT circuit_id, day, counts FROM day_histograms JOIN circuits USING (circuit_key)
WHERE circuit_id = ANY ($1::text[]) AND day BETWEEN $2 AND $3
ORDER BY circuit_id, day

-- name: load_thresholds
SELECT circuit_id, day, standby_kw, standby_release_kw, running_kw, running_release_kw,
       running_level_kw, basis
FROM day_thresholds JOIN circuits USING (circuit_key)
WHERE circuit_id = ANY ($1::text[]) AND day BETWEEN $2 AND $3

-- name: load_spells
SELECT kind, subject, from_at, to_at, sums
FROM condition_spells JOIN enterprises USING (enterprise_key)
WHERE enterprise_id = $1
ORDER BY kind, subject, from_at

-- name: load_facts
SELECT kind, subject, day, vals
FROM day_facts JOIN enterprises USING (enterprise_key)
WHERE enterprise_id = $1
ORDER BY kind, subject, day

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
