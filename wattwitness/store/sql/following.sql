-- name: standing
-- How far conclusions are behind the data, all in data time: of an enterprise, from what was known
-- when it was analysed to its newest reading; of the verdicts of alerts in force, from the minute
-- that they speak of to the newest reading of all. $1, $2 are the locks of who watches.
WITH heard AS (
    SELECT enterprise_key, min(first_ts) AS first_at, max(least(ts, received_at)) AS last_at
    FROM latest JOIN circuits USING (circuit_key) JOIN gateways USING (gateway_key)
    GROUP BY enterprise_key
), behind AS (
    SELECT extract(epoch FROM greatest(
        last_at - coalesce(data_until, first_at), INTERVAL '0'))::float8 AS lag_s
    FROM heard LEFT JOIN analysed_enterprises USING (enterprise_key)
), turns AS (
    SELECT objid::bigint AS turn FROM pg_locks
    WHERE locktype = 'advisory' AND classid = 0 AND objsubid = 1 AND granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT (SELECT max(lag_s) FROM behind) AS most_s,
       (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY lag_s) FROM behind) AS median_s,
       (SELECT max(extract(epoch FROM greatest(reach - as_of, INTERVAL '0')))::float8
        FROM verdicts JOIN alerts USING (alert_id), (SELECT max(last_at) AS reach FROM heard) newest
        WHERE response_from <= reach AND coalesce(lifted_at > reach, true)) AS verdicts_s,
       EXISTS (SELECT FROM turns WHERE turn = $1) AS verdicts_watched,
       EXISTS (SELECT FROM turns WHERE turn = $2) AS warnings_watched,
       (SELECT count(*) FROM early_warnings) AS warnings
