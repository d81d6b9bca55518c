-- name: written_since
-- What a snapshot did not see was written by a transaction that is no older than the oldest one
-- that was open then: so the next look begins there, and misses nothing, however late one commits.
SELECT now.cursor, now.stored, enterprise_id, record
FROM (
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS cursor,
           (SELECT count(*) FROM verdicts WHERE alert_id = $1) AS stored
) now
LEFT JOIN (
    SELECT enterprise_id, record
    FROM verdicts v JOIN enterprises e USING (enterprise_key)
    WHERE alert_id = $1 AND ($2::text IS NULL OR age(v.xmin) <= age($2::text::xid8::xid))
) written ON true

-- name: turns
SELECT DISTINCT ON (enterprise_id) alert_id, enterprise_id, since, changed_at, as_of, cause, before,
       after, confidence, turns
FROM verdict_changes JOIN enterprises USING (enterprise_key)
WHERE alert_id = $1 AND enterprise_id = ANY ($2::text[])
  AND cause <> 'time' AND before <> after
ORDER BY enterprise_id, changed_at DESC, change_id DESC
