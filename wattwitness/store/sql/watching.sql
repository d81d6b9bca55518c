-- name: arrivals
-- What moved since the last look, in one row: marks of days that were written to, when each
-- enterprise was analysed, and the registry's revision. All of it is small, whatever arrives.
SELECT (SELECT revision FROM registry_state) AS revision,
       marked.names AS marked, marked.marks,
       analysed.names AS analysed, analysed.instants_us, analysed.reaches_us
FROM (
    SELECT coalesce(array_agg(enterprise_id), '{}') AS names, coalesce(array_agg(mark), '{}') AS marks
    FROM (SELECT enterprise_key, max(mark) AS mark FROM dirty_days WHERE day >= $1
          GROUP BY enterprise_key) newest JOIN enterprises USING (enterprise_key)
) marked,
(
    SELECT coalesce(array_agg(enterprise_id), '{}') AS names,
           coalesce(array_agg((extract(epoch FROM analysed_at) * 1000000)::bigint), '{}')
               AS instants_us,
           coalesce(array_agg((extract(epoch FROM data_until) * 1000000)::bigint), '{}')
               AS reaches_us
    FROM analysed_enterprises JOIN enterprises USING (enterprise_key)
) analysed

-- name: first_readings
SELECT coalesce(array_agg(circuit_key), '{}') AS keys,
       coalesce(array_agg((extract(epoch FROM first_ts) * 1000000)::bigint), '{}') AS instants_us
FROM latest

-- name: wait_for_analyses
-- What an analysis is storing is waited for. Alone: a statement that waits for a lock goes on seeing
-- the other tables as they were when it began.
SELECT FROM enterprises WHERE enterprise_id = ANY ($1::text[]) ORDER BY enterprise_key FOR SHARE

-- name: newest_analyses
SELECT enterprise_id, enterprise_key, coalesce(analysed_at, 'epoch'::timestamptz) AS analysed_at
FROM enterprises LEFT JOIN analysed_enterprises USING (enterprise_key)
WHERE enterprise_id = ANY ($1::text[])

-- name: take_turn
SELECT pg_try_advisory_lock($1)
