-- name: recent_readings
-- Readings received in the last minute and hour. Per circuit the key finds the newest rows, so this
-- never scans a day; back-fill older than the bound on `ts` is left out.
SELECT
    count(*) FILTER (WHERE r.received_at > $1::timestamptz - INTERVAL '1 minute') AS minute,
    count(*) FILTER (WHERE r.received_at > $1::timestamptz - INTERVAL '1 hour') AS hour
FROM latest l
CROSS JOIN LATERAL (
    SELECT coalesce(n.received_at, n.ts + n.delay_s * INTERVAL '1 second') AS received_at
    FROM readings n
    WHERE n.circuit_key = l.circuit_key
      AND n.ts > $1::timestamptz - INTERVAL '2 hours'
) r
WHERE l.ts > $1::timestamptz - INTERVAL '2 hours'
