-- name: of_enterprise
SELECT alert_id, enterprise_key, as_of, verdict, basis, record
FROM verdicts WHERE enterprise_key = $1
ORDER BY alert_id
FOR UPDATE

-- name: of_pairs
SELECT alert_id, enterprise_key, as_of, verdict, basis, record
FROM verdicts
JOIN unnest($1::text[], $2::int[]) AS asked (alert_id, enterprise_key)
    USING (alert_id, enterprise_key)
ORDER BY enterprise_key, alert_id
FOR UPDATE OF verdicts

-- name: judged_until
SELECT alert_id, as_of FROM verdicts JOIN enterprises USING (enterprise_key)
WHERE enterprise_id = $1

-- name: save
INSERT INTO verdicts (alert_id, enterprise_key, as_of, verdict, confidence, basis, record,
                      changed_at)
SELECT alert_id, enterprise_key, as_of, verdict, confidence, basis, record::jsonb, $8
FROM unnest($1::text[], $2::int[], $3::timestamptz[], $4::text[], $5::float8[], $6::text[],
            $7::text[])
     AS new (alert_id, enterprise_key, as_of, verdict, confidence, basis, record)
ON CONFLICT (alert_id, enterprise_key) DO UPDATE SET
    as_of = excluded.as_of, verdict = excluded.verdict, confidence = excluded.confidence,
    basis = excluded.basis, record = excluded.record, changed_at = excluded.changed_at

-- name: delete
WITH late AS (
    DELETE FROM verdict_courses WHERE late AND enterprise_key = $1 AND alert_id = ANY ($2::text[])
)
DELETE FROM verdicts WHERE enterprise_key = $1 AND alert_id = ANY ($2::text[])

-- name: newest_changes
-- the newest turn of each, if it is not older than $3
SELECT newest.*
FROM unnest($1::text[], $2::int[]) AS asked (alert_id, enterprise_key)
CROSS JOIN LATERAL (
    SELECT change_id, alert_id, enterprise_key, changed_at, cause, words
    FROM verdict_changes c
    WHERE c.alert_id = asked.alert_id AND c.enterprise_key = asked.enterprise_key
    ORDER BY change_id DESC LIMIT 1
) newest
WHERE changed_at >= $3

-- name: note_change
INSERT INTO verdict_changes (since, changed_at, as_of, after, confidence, record,
                             alert_id, enterprise_key, cause, before, words)
VALUES ($1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: extend_change
UPDATE verdict_changes SET changed_at = $2, as_of = $3, after = $4, confidence = $5, record = $6,
                           turns = turns + 1
WHERE change_id = $1

-- name: notify
SELECT pg_notify('verdicts', $1)

-- name: list
SELECT enterprise_id, record
FROM verdicts v JOIN enterprises e USING (enterprise_key) LEFT JOIN alerts a USING (alert_id)
WHERE ($1::text IS NULL OR alert_id = $1)
  AND ($2::text[] IS NULL OR enterprise_id = ANY ($2))
  AND ($3::timestamptz IS NULL OR as_of > $3)
  AND ($4::timestamptz IS NULL OR coalesce(response_from, as_of) < $4)
ORDER BY coalesce(response_from, as_of), alert_id, enterprise_id

-- name: list_changes
SELECT alert_id, enterprise_id, since, changed_at, as_of, cause, before, after, confidence, turns
FROM verdict_changes JOIN enterprises USING (enterprise_key)
WHERE alert_id = $1 AND ($2::text IS NULL OR enterprise_id = $2) AND after IS NOT NULL
ORDER BY change_id DESC
