-- name: energy_of_windows
-- Per circuit and window of 24 h from $2[n]: energy by mean power [kWh] and how many quarters hold it.
SELECT r.circuit_key, w.n::int AS n, sum(r.p_sum::float8 / r.p_n) / 4000 AS kwh,
       count(*)::int AS quarters
FROM unnest($2::timestamptz[]) WITH ORDINALITY w (begins, n)
JOIN rollups r ON r.bucket >= w.begins AND r.bucket < w.begins + interval '24 hours'
WHERE r.circuit_key = ANY ($1::int[]) AND r.p_n > 0
GROUP BY 1, 2

-- name: missed_before
SELECT e.enterprise_id, v.alert_id
FROM verdicts v JOIN enterprises e USING (enterprise_key) JOIN alerts a USING (alert_id)
WHERE a.response_from < $1 AND v.alert_id <> $2 AND v.verdict IN ('violated', 'partial')
ORDER BY e.enterprise_id, a.response_from, v.alert_id

-- name: readings_known
-- What the analysis knows of these circuits on these local days; late data raise it.
SELECT coalesce(sum(received), 0) FROM day_quality
WHERE circuit_key = ANY ($1::int[]) AND day = ANY ($2::date[])

-- name: rebounds
SELECT found FROM rebounds WHERE alert_id = $1 AND ground = $2

-- name: keep_rebounds
INSERT INTO rebounds (alert_id, ground, found) VALUES ($1, $2, $3)
ON CONFLICT (alert_id) DO UPDATE SET ground = excluded.ground, found = excluded.found
