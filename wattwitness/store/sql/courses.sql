-- name: note
-- One statement for all verdicts of a transaction. The newest entry of a minute stands for it; how
-- old the data are is looked up as the board does it.
INSERT INTO verdict_courses AS c (alert_id, late, enterprise_key, begins_at, words, entries)
SELECT alert_id, false, enterprise_key, $5, ARRAY[word],
       '\x0000'::bytea || int8send(coalesce((
           SELECT (extract(epoch FROM max(least(ts, received_at))) * 1000000)::bigint
           FROM gateways g JOIN circuits USING (gateway_key) JOIN latest USING (circuit_key)
           WHERE g.enterprise_key = new.enterprise_key), 0)) || entry
FROM unnest($1::text[], $2::int[], $3::text[], $4::bytea[])
     AS new (alert_id, enterprise_key, word, entry)
ON CONFLICT (alert_id, late, enterprise_key, begins_at) DO UPDATE SET
    words = CASE WHEN excluded.words <@ c.words THEN c.words ELSE c.words || excluded.words END,
    entries =
        CASE WHEN get_byte(c.entries, length(c.entries) - 29) = get_byte(excluded.entries, 10)
             THEN substr(c.entries, 1, length(c.entries) - 39) ELSE c.entries END
        || int2send((coalesce(array_position(c.words, excluded.words[1]),
                              cardinality(c.words) + 1) - 1)::int2)
        || substr(excluded.entries, 3)

-- name: at
-- the half hour of a minute may hold later minutes only; then the one before it speaks
SELECT enterprise_id, begins_at, words, entries
FROM enterprises e CROSS JOIN LATERAL (
    SELECT begins_at, words, entries FROM verdict_courses c
    WHERE c.alert_id = $1 AND c.late = $2 AND c.enterprise_key = e.enterprise_key
      AND c.begins_at <= $3
    ORDER BY begins_at DESC LIMIT 2
) c
ORDER BY enterprise_id, begins_at

-- name: courses_from
SELECT courses_from FROM retention WHERE isfinite(courses_from)

-- name: late_stand
SELECT alert_id, begins_at, rests_on
FROM enterprises JOIN verdict_courses USING (enterprise_key)
WHERE enterprise_id = $1 AND alert_id = ANY ($2::text[]) AND late

-- name: key
SELECT enterprise_key FROM enterprises WHERE enterprise_id = $1 FOR SHARE

-- name: forget_late
DELETE FROM verdict_courses
WHERE late AND enterprise_key = $1 AND alert_id = $2 AND NOT begins_at = ANY ($3::timestamptz[])

-- name: save_late
INSERT INTO verdict_courses (alert_id, late, enterprise_key, begins_at, words, entries, rests_on)
SELECT $2, true, $1, begins_at, ARRAY (SELECT json_array_elements_text(words::json)), entries,
       rests_on
FROM unnest($3::timestamptz[], $4::text[], $5::bytea[], $6::bytea[])
     AS new (begins_at, words, entries, rests_on)
ON CONFLICT (alert_id, late, enterprise_key, begins_at) DO UPDATE SET
    words = excluded.words, entries = excluded.entries, rests_on = excluded.rests_on
