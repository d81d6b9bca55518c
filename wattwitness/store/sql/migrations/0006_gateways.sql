-- The four counts of each gateway and local day of receipt add up, and rejects are counted by
-- reason. What waits for the registry is rejected, too, until it is taken in.

ALTER TABLE rejects
    ADD COLUMN day date,                          -- under which it is counted
    ADD COLUMN readings int NOT NULL DEFAULT 1;   -- for how many it counts
ALTER TABLE parked ADD COLUMN day date;
-- until now a day was one of UTC
UPDATE rejects SET day = (received_at AT TIME ZONE 'UTC')::date;
UPDATE parked SET day = (received_at AT TIME ZONE 'UTC')::date;
ALTER TABLE rejects ALTER COLUMN day SET NOT NULL;
ALTER TABLE parked ALTER COLUMN day SET NOT NULL;
CREATE INDEX rejects_gateway ON rejects (gateway_id, received_at);

CREATE TABLE gateway_rejects (
    gateway_id text   NOT NULL, -- '' = the topic names none
    day        date   NOT NULL,
    code       text   NOT NULL,
    readings   bigint NOT NULL,
    PRIMARY KEY (gateway_id, day, code)
);
INSERT INTO gateway_rejects (gateway_id, day, code, readings)
SELECT coalesce(gateway_id, ''), day, code, count(*) FROM rejects GROUP BY 1, 2, 3
UNION ALL
SELECT gateway_id, day, CASE WHEN channel IS NULL THEN 'unknown_gateway' ELSE 'unknown_channel' END,
       sum(readings)
FROM parked GROUP BY 1, 2, 3;

ALTER TABLE gateway_days ADD COLUMN first_received_at timestamptz;
INSERT INTO gateway_days (gateway_id, day)
SELECT DISTINCT gateway_id, day FROM gateway_rejects ON CONFLICT DO NOTHING;
-- Of old days: what waited and waits no more was taken in, and counts as stored. What is kept is
-- what was rejected.
UPDATE gateway_days d SET
    stored = stored + greatest(0, parked - coalesce((
        SELECT sum(readings) FROM gateway_rejects r
        WHERE r.gateway_id = d.gateway_id AND r.day = d.day
          AND r.code IN ('unknown_gateway', 'unknown_channel')), 0)),
    rejected = coalesce((
        SELECT sum(readings) FROM gateway_rejects r
        WHERE r.gateway_id = d.gateway_id AND r.day = d.day), 0),
    first_received_at = least(last_received_at, day::timestamp AT TIME ZONE 'UTC');
UPDATE gateway_days SET received = stored + duplicate + revision + rejected;
ALTER TABLE gateway_days
    DROP COLUMN parked,
    ADD CONSTRAINT gateway_days_add_up CHECK (received = stored + duplicate + revision + rejected);
