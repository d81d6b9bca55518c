-- name: insert_note
INSERT INTO call_notes (alert_id, enterprise_id, at, actor, text, promised_at)
VALUES ($1, $2, $3, $4, $5, $6)
RETURNING note_id

-- name: list_notes
SELECT note_id, alert_id, enterprise_id, at, actor, text, promised_at
FROM call_notes
WHERE alert_id = $1 AND ($2::text IS NULL OR enterprise_id = $2)
ORDER BY enterprise_id, note_id

-- name: is_concerned
SELECT EXISTS (
    SELECT FROM alerts a, enterprises e
    WHERE a.alert_id = $1 AND e.enterprise_id = $2
          AND (cardinality(a.districts) = 0 OR e.district = ANY (a.districts)))
