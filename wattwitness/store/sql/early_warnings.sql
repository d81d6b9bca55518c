-- name: delete_warnings
DELETE FROM early_warnings WHERE enterprise_key = $1

-- name: insert_warning
INSERT INTO early_warnings (enterprise_key, kind, pairing_id, from_at, to_at, known_minutes,
                            required_minutes)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: list_warnings
SELECT enterprise_id, kind, pairing_id, from_at, to_at, known_minutes, required_minutes
FROM early_warnings JOIN enterprises USING (enterprise_key)
WHERE $1::text IS NULL OR enterprise_id = $1
ORDER BY from_at, enterprise_id, kind, pairing_id

-- name: mark
SELECT count(*) || '-' || coalesce(sum(extract(epoch FROM to_at - from_at)), 0)::bigint
FROM early_warnings
