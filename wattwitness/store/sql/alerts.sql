-- name: lock_alerts
-- One act at a time: each sees what the one before it left. Readers go on.
LOCK TABLE alerts IN SHARE ROW EXCLUSIVE MODE

-- name: get_alert
SELECT * FROM alerts WHERE alert_id = $1

-- name: get_changes
SELECT * FROM alert_changes WHERE alert_id = $1 ORDER BY response_from, issued_at

-- name: districts
SELECT DISTINCT district FROM enterprises WHERE district IS NOT NULL ORDER BY district
