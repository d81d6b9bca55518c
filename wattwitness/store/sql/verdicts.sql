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

-- name: keys
-- an analysis that is being stored is waited for
SELECT enterprise_id, enterprise_key, coalesce(analysed_at, 'epoch'::timestamptz) AS analysed_at
FROM enterprises LEFT JOIN analysed_enterprises USING (enterprise_key)
WHERE enterprise_id = ANY ($1::text[])
ORDER BY enterprise_key
FOR SHARE OF enterprises

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
DELETE FROM verdicts WHERE enterprise_key = $1 AND alert_id = ANY ($2::text[])

-- name: note_change
INSERT INTO verdict_changes (alert_id, enterprise_key, changed_at, as_of, cause, before, after,
                             confidence, record)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

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
SELECT alert_id, enterprise_id, changed_at, as_of, cause, before, after, confidence
FROM verdict_changes JOIN enterprises USING (enterprise_key)
WHERE alert_id = $1 AND ($2::text IS NULL OR enterprise_id = $2) AND after IS NOT NULL
ORDER BY change_id DESC

-- name: as_known
SELECT enterprise_id, record FROM (
    SELECT DISTINCT ON (enterprise_key) enterprise_key, after, record
    FROM verdict_changes WHERE alert_id = $1 AND changed_at <= $2
    ORDER BY enterprise_key, change_id DESC
) AS last JOIN enterprises USING (enterprise_key)
WHERE after IS NOT NULL
ORDER BY enterprise_id
