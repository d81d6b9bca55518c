-- name: count_reasons
INSERT INTO gateway_rejects AS g (gateway_id, day, code, readings)
SELECT * FROM unnest($1::text[], $2::date[], $3::text[], $4::bigint[])
ON CONFLICT (gateway_id, day, code) DO UPDATE SET readings = g.readings + excluded.readings

-- name: health
SELECT g.gateway_id, e.enterprise_id, g.interval_s, s.online, s.status_at, s.received_at,
       (SELECT max(ts) FROM latest JOIN circuits c USING (circuit_key)
        WHERE c.gateway_key = g.gateway_key) AS last_ts,
       (SELECT max(last_received_at) FROM gateway_days d WHERE d.gateway_id = g.gateway_id)
           AS last_received_at,
       t.received, t.stored, t.duplicate, t.revision, t.rejected
FROM gateways g JOIN enterprises e USING (enterprise_key)
     LEFT JOIN gateway_status s USING (gateway_id)
     LEFT JOIN gateway_days t ON t.gateway_id = g.gateway_id AND t.day = $1
ORDER BY g.gateway_id

-- name: reasons
-- Rejected readings by code; those of one day, or all of them.
SELECT gateway_id, code, sum(readings)::bigint AS readings
FROM gateway_rejects WHERE ($1::date IS NULL OR day = $1) AND readings > 0
GROUP BY gateway_id, code ORDER BY gateway_id, code

-- name: strangers
-- Who sent something and is in no registry, the one heard last first.
SELECT d.gateway_id, min(d.first_received_at) AS first_at, max(d.last_received_at) AS last_at,
       sum(received) AS received, sum(stored) AS stored, sum(duplicate) AS duplicate,
       sum(revision) AS revision, sum(rejected) AS rejected
FROM gateway_days d
WHERE NOT EXISTS (SELECT FROM gateways g WHERE g.gateway_id = d.gateway_id)
GROUP BY d.gateway_id ORDER BY last_at DESC NULLS LAST, d.gateway_id LIMIT $1

-- name: one_day
-- The counts of one local day for the metrics; those of strangers together under ''.
SELECT coalesce(g.gateway_id, '') AS gateway_id, sum(stored)::bigint AS stored,
       sum(duplicate)::bigint AS duplicate, sum(revision)::bigint AS revision,
       sum(rejected)::bigint AS rejected
FROM gateway_days d LEFT JOIN gateways g USING (gateway_id)
WHERE d.day = $1 GROUP BY 1 ORDER BY 1

-- name: one_day_reasons
SELECT coalesce(g.gateway_id, '') AS gateway_id, code, sum(readings)::bigint AS readings
FROM gateway_rejects r LEFT JOIN gateways g USING (gateway_id)
WHERE r.day = $1 AND readings > 0 GROUP BY 1, 2 ORDER BY 1, 2

-- name: days_of
SELECT day, received, stored, duplicate, revision, rejected
FROM gateway_days WHERE gateway_id = $1 AND received > 0 ORDER BY day DESC LIMIT $2

-- name: day_reasons_of
SELECT day, code, readings FROM gateway_rejects
WHERE gateway_id = $1 AND readings > 0 AND day >= $2 ORDER BY day, readings DESC, code

-- name: restarts
-- An epoch ends when its gateway begins another one.
SELECT gateway_id, count(*) AS restarts FROM gateway_epochs
WHERE ended_at > now() - make_interval(days => $1) GROUP BY gateway_id
