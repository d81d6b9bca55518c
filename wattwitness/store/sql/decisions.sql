-- name: lock_decisions
-- One decision at a time: each one's curve knows all before it. Readers go on.
LOCK TABLE decisions IN SHARE ROW EXCLUSIVE MODE

-- name: insert_decision
INSERT INTO decisions (lead_id, enterprise_key, outcome, reason, actor, decided_at, score,
                       confidence, raw_confidence, episodes, lead_to)
SELECT $1, enterprise_key, $3, $4, $5, $6, $7, $8, $9, $10, $11
FROM enterprises WHERE enterprise_id = $2
RETURNING decision_id

-- name: list_decisions
SELECT decision_id, lead_id, enterprise_id, outcome, reason, actor, decided_at, score, confidence,
       raw_confidence, episodes, lead_to
FROM decisions JOIN enterprises USING (enterprise_key)
WHERE $1::text IS NULL OR lead_id = $1
ORDER BY decision_id

-- name: insert_recalibration
INSERT INTO recalibrations (recalibrated_at, decisions, points) VALUES ($1, $2, $3)

-- name: list_recalibrations
SELECT recalibrated_at, decisions, points
FROM recalibrations
ORDER BY recalibration_id DESC
LIMIT $1
