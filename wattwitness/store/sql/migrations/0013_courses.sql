-- Verdicts minute by minute (wattwitness/store/courses.py), half an hour a row.
CREATE TABLE verdict_courses (
    alert_id       text        NOT NULL,
    late           boolean     NOT NULL, -- judged afterwards, from all that came; else as known then
    enterprise_key int         NOT NULL,
    begins_at      timestamptz NOT NULL, -- the half hour; late: of data time, else of the wall clock
    words          text[]      NOT NULL, -- what many minutes share, as JSON; '' = withdrawn
    entries        bytea       NOT NULL, -- 39 bytes a minute, oldest first
    rests_on       bytea,                -- late: digest of all that it was judged from
    PRIMARY KEY (alert_id, late, enterprise_key, begins_at)
);
ALTER TABLE verdict_courses SET (fillfactor = 60); -- the newest row of each grows every minute
ALTER TABLE verdict_courses ALTER entries SET STORAGE MAIN;

-- A turn that goes back and forth is one row (wattwitness/store/turns.py).
ALTER TABLE verdict_changes
    ADD since timestamptz, -- wall clock of the first turn in it
    ADD turns int NOT NULL DEFAULT 1,
    ADD words text[]; -- that were said in this unrest
UPDATE verdict_changes SET since = changed_at, words = ARRAY[before, after];
ALTER TABLE verdict_changes ALTER since SET NOT NULL, ALTER words SET NOT NULL;

-- Whose lift lies before gets no late course: it is past keeping, or older than these tables.
ALTER TABLE retention ADD courses_from timestamptz NOT NULL DEFAULT '-infinity';
UPDATE retention SET courses_from = now() WHERE EXISTS (SELECT FROM verdicts);

-- Readings of some enterprises are looked up with every verdict that is written.
CREATE INDEX gateways_enterprise ON gateways (enterprise_key);
CREATE INDEX circuits_gateway ON circuits (gateway_key);

-- What is known of earlier alerts: the turns.
INSERT INTO verdict_courses (alert_id, late, enterprise_key, begins_at, words, entries)
SELECT alert_id, false, enterprise_key, to_timestamp(minute / 30 * 1800),
       array_agg(word ORDER BY minute),
       string_agg(int2send(place) || int8send(as_of_us)
                  || set_byte('\x00', 0, (minute % 30)::int) || int8send(as_of_us)
                  || float8send(confidence) || int4send(now_kw) || int4send(baseline_kw)
                  || int4send(required_kw), ''::bytea ORDER BY minute)
FROM (
    SELECT alert_id, enterprise_key, minute, confidence,
           (row_number() OVER (PARTITION BY alert_id, enterprise_key, minute / 30
                               ORDER BY minute) - 1)::int2 AS place,
           coalesce((record - '{alert_id,enterprise_id,as_of,confidence,measures,now_kw,baseline_kw,required_kw}'::text[])::text, '')
               AS word,
           (extract(epoch FROM as_of) * 1000000)::bigint AS as_of_us,
           coalesce(round((record ->> 'now_kw')::numeric * 100)::int, -2147483648) AS now_kw,
           coalesce(round((record ->> 'baseline_kw')::numeric * 100)::int, -2147483648)
               AS baseline_kw,
           coalesce(round((record ->> 'required_kw')::numeric * 100)::int, -2147483648)
               AS required_kw
    FROM (
        SELECT DISTINCT ON (alert_id, enterprise_key, minute) *
        FROM verdict_changes
        CROSS JOIN LATERAL (SELECT ceil(extract(epoch FROM changed_at) / 60)::bigint) AS m (minute)
        ORDER BY alert_id, enterprise_key, minute, change_id DESC
    ) newest
) numbered
GROUP BY alert_id, enterprise_key, minute / 30;
