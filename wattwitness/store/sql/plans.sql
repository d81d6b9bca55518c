-- name: remove_measure
-- The row leaves the plan; what it was stays in the log.
WITH removed AS (
    DELETE FROM measures t
    WHERE enterprise_id = $1 AND level = $2 AND action = $3 AND scope = $4
    RETURNING t.*
), logged AS (
    INSERT INTO measure_log (enterprise_id, act, actor, reason, at, before, after)
    SELECT enterprise_id, 'removed', $5, $6, $7, to_jsonb(r), NULL FROM removed r
)
SELECT enterprise_key FROM removed JOIN enterprises USING (enterprise_id)

-- name: meter_days
-- Per circuit: days with readings that count since $1, at most $3 of them (more say no more), and
-- the newest known levels.
SELECT c.circuit_id, coalesce(q.days, 0) AS days, t.running_level_kw, t.basis
FROM circuits c JOIN gateways USING (gateway_key) JOIN enterprises e USING (enterprise_key)
     LEFT JOIN LATERAL (
         SELECT count(*) AS days FROM (
             SELECT FROM day_quality d
             WHERE d.circuit_key = c.circuit_key AND d.day >= $1 AND d.valid > 0
             ORDER BY day DESC LIMIT $3
         ) newest
     ) q ON true
     LEFT JOIN LATERAL (
         SELECT running_level_kw, basis FROM day_thresholds d
         WHERE d.circuit_key = c.circuit_key ORDER BY day DESC LIMIT 1
     ) t ON true
WHERE $2::text[] IS NULL OR e.enterprise_id = ANY ($2)

-- name: registers
-- Enterprises of which the analytics say that no energy register is read.
SELECT enterprise_id FROM testability JOIN enterprises USING (enterprise_key)
WHERE kind = 'counter_anomaly' AND why = 'no_register'
