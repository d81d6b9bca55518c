-- name: waits
-- whether hours before $1 still wait for their rollups
SELECT EXISTS (
    SELECT FROM dirty_hours CROSS JOIN retention
    WHERE hour < extract(epoch FROM $1::timestamptz) / 3600
      AND (raw_from = '-infinity' OR hour >= extract(epoch FROM raw_from) / 3600)
) OR EXISTS (
    SELECT FROM touched_hours CROSS JOIN retention
    CROSS JOIN LATERAL unnest(hours) AS h
    WHERE h < extract(epoch FROM $1::timestamptz) / 3600
      AND (raw_from = '-infinity' OR h >= extract(epoch FROM raw_from) / 3600)
)

-- name: drop_chunks
SELECT drop_chunks('readings', older_than => $1::timestamptz, newer_than => $2::timestamptz)

-- name: raise_floor
UPDATE retention SET raw_from = greatest(raw_from, $1)

-- name: rejects
DELETE FROM rejects WHERE day < $1

-- name: gateway_rejects
-- what waits for the registry is counted here until it is taken in
DELETE FROM gateway_rejects r WHERE day < $1
    AND NOT EXISTS (SELECT FROM parked p WHERE p.gateway_id = r.gateway_id AND p.day = r.day)

-- name: gateway_days
DELETE FROM gateway_days g WHERE day < $1
    AND NOT EXISTS (SELECT FROM parked p WHERE p.gateway_id = g.gateway_id AND p.day = g.day)

-- name: raise_courses
UPDATE retention SET courses_from = greatest(courses_from, $1)

-- name: verdict_courses
DELETE FROM verdict_courses USING alerts
WHERE verdict_courses.alert_id = alerts.alert_id AND lifted_at < $1

-- name: verdict_changes
DELETE FROM verdict_changes USING alerts
WHERE verdict_changes.alert_id = alerts.alert_id AND lifted_at < $1
