-- name: find
-- Refused and waiting pieces alike, newest receipt first. Each branch is cut before the two are
-- merged, so that an index serves it.
SELECT * FROM (
    (SELECT 'r' || reject_id AS kept_id, received_at, gateway_id, code, reason, item, readings,
            substring(payload FOR $7) AS payload, octet_length(payload) AS payload_bytes,
            NULL AS channel
     FROM rejects
     WHERE ($1::text IS NULL OR gateway_id = $1) AND ($2::text IS NULL OR code = $2)
       AND ($3::timestamptz IS NULL OR received_at >= $3)
       AND ($4::timestamptz IS NULL OR received_at < $4)
     ORDER BY received_at DESC, reject_id DESC LIMIT $5::bigint + $6::bigint)
    UNION ALL
    (SELECT 'w' || parked_id, received_at, gateway_id,
            CASE WHEN channel IS NULL THEN 'unknown_gateway' ELSE 'unknown_channel' END,
            'waits for the registry', NULL, readings,
            substring(payload FOR $7), octet_length(payload), channel
     FROM parked
     WHERE ($1::text IS NULL OR gateway_id = $1)
       AND ($2::text IS NULL
            OR $2 = CASE WHEN channel IS NULL THEN 'unknown_gateway' ELSE 'unknown_channel' END)
       AND ($3::timestamptz IS NULL OR received_at >= $3)
       AND ($4::timestamptz IS NULL OR received_at < $4)
     ORDER BY received_at DESC, parked_id DESC LIMIT $5::bigint + $6::bigint)
) both_kinds
ORDER BY received_at DESC, kept_id DESC LIMIT $5 OFFSET $6

-- name: count
SELECT (SELECT count(*) FROM rejects
        WHERE ($1::text IS NULL OR gateway_id = $1) AND ($2::text IS NULL OR code = $2)
          AND ($3::timestamptz IS NULL OR received_at >= $3)
          AND ($4::timestamptz IS NULL OR received_at < $4))
     + (SELECT count(*) FROM parked
        WHERE ($1::text IS NULL OR gateway_id = $1)
          AND ($2::text IS NULL
               OR $2 = CASE WHEN channel IS NULL THEN 'unknown_gateway' ELSE 'unknown_channel' END)
          AND ($3::timestamptz IS NULL OR received_at >= $3)
          AND ($4::timestamptz IS NULL OR received_at < $4))

-- name: one_reject
SELECT 'r' || reject_id AS kept_id, received_at, gateway_id, code, reason, item, readings, payload,
       octet_length(payload) AS payload_bytes, NULL AS channel
FROM rejects WHERE reject_id = $1

-- name: one_waiting
SELECT 'w' || parked_id AS kept_id, received_at, gateway_id,
       CASE WHEN channel IS NULL THEN 'unknown_gateway' ELSE 'unknown_channel' END AS code,
       'waits for the registry' AS reason, NULL::int AS item, readings, payload,
       octet_length(payload) AS payload_bytes, channel
FROM parked WHERE parked_id = $1

-- name: newest_number
SELECT coalesce(max(reject_id), 0) FROM rejects

-- name: load
-- As many as stay within pieces and bytes, but at least one.
WITH wanted AS (
    SELECT reject_id, received_at, gateway_id, code, reason, item, readings, payload
    FROM rejects
    WHERE ($1::text IS NULL OR gateway_id = $1) AND ($2::text IS NULL OR code = $2)
      AND ($3::timestamptz IS NULL OR received_at >= $3)
      AND ($4::timestamptz IS NULL OR received_at < $4)
      AND reject_id > $5
    ORDER BY reject_id LIMIT $6
), counted AS (
    SELECT *, row_number() OVER w AS place, sum(octet_length(payload)) OVER w AS bytes_so_far
    FROM wanted WINDOW w AS (ORDER BY reject_id)
)
SELECT 'r' || reject_id AS kept_id, received_at, gateway_id, code, reason, item, readings, payload,
       octet_length(payload) AS payload_bytes, NULL AS channel
FROM counted WHERE place = 1 OR bytes_so_far <= $7 ORDER BY reject_id
