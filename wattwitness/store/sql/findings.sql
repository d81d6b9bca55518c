-- name: lock_enterprise
SELECT enterprise_key, data_until
FROM enterprises LEFT JOIN analysed_enterprises USING (enterprise_key)
WHERE enterprise_id = $1
FOR UPDATE OF enterprises

-- name: revision
SELECT revision FROM registry_state

-- name: delete_episodes
DELETE FROM episodes WHERE enterprise_key = $1 AND episode_id = ANY ($2::text[])

-- name: delete_leads
DELETE FROM leads WHERE enterprise_key = $1 AND lead_id = ANY ($2::text[])

-- name: delete_testability
DELETE FROM testability t USING unnest($2::text[], $3::text[]) AS gone (kind, pairing_id)
WHERE t.enterprise_key = $1 AND t.kind = gone.kind AND t.pairing_id = gone.pairing_id

-- name: insert_episode
INSERT INTO episodes (episode_id, enterprise_key, kind, from_at, to_at, detected_at, circuits,
                      pairing_id, confidence, evidence, rule_version, suppressed_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: insert_lead
INSERT INTO leads (lead_id, enterprise_key, matter, score, confidence, level, kinds, from_at,
                   to_at, episodes, reason, doubts, testable, status, newest_from,
                   registration_check)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)

-- name: insert_testability
INSERT INTO testability (enterprise_key, kind, pairing_id, testable, why)
VALUES ($1, $2, $3, $4, $5)

-- name: insert_change
INSERT INTO finding_changes (changed_at, data_until, enterprise_key, episode_id, change, before,
                             after)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: note_analysed
INSERT INTO analysed_enterprises (enterprise_key, analysed_at, data_until) VALUES ($1, $2, $3)
ON CONFLICT (enterprise_key) DO UPDATE SET
    analysed_at = excluded.analysed_at, data_until = excluded.data_until

-- name: list_episodes
SELECT enterprise_id, kind, from_at, to_at, detected_at, circuits, pairing_id, confidence,
       evidence, rule_version, suppressed_by
FROM episodes JOIN enterprises USING (enterprise_key)
WHERE ($1::timestamptz IS NULL OR to_at > $1) AND ($2::timestamptz IS NULL OR from_at < $2)
  AND ($3::text[] IS NULL OR enterprise_id = ANY ($3))
ORDER BY enterprise_id, from_at, kind, pairing_id, circuits

-- name: own_episodes
-- of one enterprise, by key: planned once, whatever else is stored
SELECT $2::text AS enterprise_id, kind, from_at, to_at, detected_at, circuits, pairing_id,
       confidence, evidence, rule_version, suppressed_by
FROM episodes WHERE enterprise_key = $1

-- name: own_leads
SELECT $2::text AS enterprise_id, matter, score, confidence, level, kinds, from_at, to_at, episodes,
       reason, doubts, testable, status, newest_from, registration_check
FROM leads WHERE enterprise_key = $1

-- name: own_testability
SELECT $2::text AS enterprise_id, kind, nullif(pairing_id, '') AS pairing_id, testable, why
FROM testability WHERE enterprise_key = $1

-- name: list_leads
SELECT enterprise_id, matter, score, confidence, level, kinds, from_at, to_at, episodes, reason,
       doubts, testable, status, newest_from, registration_check
FROM leads JOIN enterprises USING (enterprise_key)
WHERE $1::text IS NULL OR enterprise_id = $1
ORDER BY score DESC, enterprise_id, matter

-- name: list_testability
SELECT enterprise_id, kind, nullif(pairing_id, '') AS pairing_id, testable, why
FROM testability JOIN enterprises USING (enterprise_key)
WHERE $1::text[] IS NULL OR enterprise_id = ANY ($1)
ORDER BY enterprise_id, kind, pairing_id NULLS FIRST

-- name: list_changes
SELECT changed_at, data_until, episode_id, change, before, after
FROM finding_changes JOIN enterprises USING (enterprise_key)
WHERE enterprise_id = $1
ORDER BY change_id DESC LIMIT 500

-- name: progress
SELECT (SELECT count(*) FROM dirty_days) AS dirty_days,
       (SELECT max(analysed_at) FROM analysed_enterprises) AS last_analysed_at
