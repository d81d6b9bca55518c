-- name: alerts
SELECT entry_id, alert_id AS subject, act, actor, reason, at, before, after
FROM alert_log
WHERE $1::text IS NULL OR alert_id = $1
ORDER BY entry_id DESC
LIMIT $2

-- name: plans
SELECT entry_id, enterprise_id AS subject, act, actor, reason, at, before, after
FROM measure_log
WHERE $1::text IS NULL OR enterprise_id = $1
ORDER BY entry_id DESC
LIMIT $2
