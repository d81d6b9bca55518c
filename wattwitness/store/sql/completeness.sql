-- name: by_gateway
-- Per gateway over local days. Each circuit and day counts at most what was expected of it, so that
-- one that sends too much does not hide one that sends nothing.
SELECT g.gateway_id,
       sum(q.expected)::bigint                     AS expected,
       sum(least(q.valid, q.expected))::bigint     AS valid,
       sum(least(q.in_time, q.expected))::bigint   AS in_time,
       coalesce(sum(q.expected) FILTER (WHERE q.in_time IS NOT NULL), 0)::bigint AS timed
FROM day_quality q
JOIN circuits c USING (circuit_key)
JOIN gateways g USING (gateway_key)
WHERE q.day BETWEEN $1 AND $2
GROUP BY g.gateway_id
ORDER BY g.gateway_id
