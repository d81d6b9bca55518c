-- Every save takes the rows as one JSON document, changes only what differs, and returns the
-- enterprises that it touched.

-- name: save_enterprises
INSERT INTO enterprises AS t (enterprise_id, name, credit_code, district, industry, grade, lon,
                              lat, positive_list, verified_from, verified_to)
SELECT enterprise_id, name, credit_code, district, industry, grade, lon, lat, positive_list,
       verified_from, verified_to
FROM jsonb_to_recordset($1) AS x (
    enterprise_id text, name text, credit_code text, district text, industry text, grade text,
    lon float8, lat float8, positive_list boolean, verified_from timestamptz,
    verified_to timestamptz)
ORDER BY enterprise_id
ON CONFLICT (enterprise_id) DO UPDATE SET
    name = excluded.name, credit_code = excluded.credit_code, district = excluded.district,
    industry = excluded.industry, grade = excluded.grade, lon = excluded.lon, lat = excluded.lat,
    positive_list = excluded.positive_list, verified_from = excluded.verified_from,
    verified_to = excluded.verified_to
WHERE (t.name, t.credit_code, t.district, t.industry, t.grade, t.lon, t.lat, t.positive_list,
       t.verified_from, t.verified_to)
      IS DISTINCT FROM
      (excluded.name, excluded.credit_code, excluded.district, excluded.industry, excluded.grade,
       excluded.lon, excluded.lat, excluded.positive_list, excluded.verified_from,
       excluded.verified_to)
RETURNING enterprise_key

-- name: gateway_owners
SELECT gateway_id, enterprise_key FROM gateways WHERE gateway_id = ANY ($1::text[])

-- name: move_data_days
-- A gateway that changes its enterprise takes its history along. Days of the former owner stay
-- marked as well: they are analysed again, without what has left.
INSERT INTO data_days (enterprise_key, day)
SELECT $2, day FROM data_days WHERE enterprise_key = $1
ON CONFLICT DO NOTHING

-- name: save_gateways
INSERT INTO gateways AS t (gateway_id, enterprise_key, protocol, interval_s, mn)
SELECT x.gateway_id, e.enterprise_key, x.protocol, x.interval_s, x.mn
FROM jsonb_to_recordset($1) AS x (
    gateway_id text, enterprise_id text, protocol text, interval_s int, mn text)
JOIN enterprises e USING (enterprise_id)
ORDER BY x.gateway_id
ON CONFLICT (gateway_id) DO UPDATE SET
    enterprise_key = excluded.enterprise_key, protocol = excluded.protocol,
    interval_s = excluded.interval_s, mn = excluded.mn
WHERE (t.enterprise_key, t.protocol, t.interval_s, t.mn)
      IS DISTINCT FROM
      (excluded.enterprise_key, excluded.protocol, excluded.interval_s, excluded.mn)
RETURNING enterprise_key

-- name: save_circuits
WITH saved AS (
    INSERT INTO circuits AS t (circuit_id, gateway_key, channel, role, name, line, rated_kw,
                               resolution_kw, register_resolution_kwh, nominal_v,
                               parent_circuit_id)
    SELECT x.circuit_id, g.gateway_key, x.channel, x.role, x.name, x.line, x.rated_kw,
           x.resolution_kw, x.register_resolution_kwh, x.nominal_v, x.parent_circuit_id
    FROM jsonb_to_recordset($1) AS x (
        circuit_id text, gateway_id text, channel text, role text, name text, line text,
        rated_kw float8, resolution_kw float8, register_resolution_kwh float8, nominal_v float8,
        parent_circuit_id text)
    JOIN gateways g USING (gateway_id)
    ORDER BY x.circuit_id
    ON CONFLICT (circuit_id) DO UPDATE SET
        gateway_key = excluded.gateway_key, channel = excluded.channel, role = excluded.role,
        name = excluded.name, line = excluded.line, rated_kw = excluded.rated_kw,
        resolution_kw = excluded.resolution_kw,
        register_resolution_kwh = excluded.register_resolution_kwh,
        nominal_v = excluded.nominal_v, parent_circuit_id = excluded.parent_circuit_id
    WHERE (t.gateway_key, t.channel, t.role, t.name, t.line, t.rated_kw, t.resolution_kw,
           t.register_resolution_kwh, t.nominal_v, t.parent_circuit_id)
          IS DISTINCT FROM
          (excluded.gateway_key, excluded.channel, excluded.role, excluded.name, excluded.line,
           excluded.rated_kw, excluded.resolution_kw, excluded.register_resolution_kwh,
           excluded.nominal_v, excluded.parent_circuit_id)
    RETURNING gateway_key
)
SELECT enterprise_key FROM saved JOIN gateways USING (gateway_key)

-- name: save_pairings
WITH saved AS (
    INSERT INTO pairings AS t (pairing_id, production, treatment, require, lead_min,
                               start_lag_min, stop_lag_min, duty_cycled)
    SELECT * FROM jsonb_to_recordset($1) AS x (
        pairing_id text, production text[], treatment text[], require text, lead_min float8,
        start_lag_min float8, stop_lag_min float8, duty_cycled boolean)
    ON CONFLICT (pairing_id) DO UPDATE SET
        production = excluded.production, treatment = excluded.treatment,
        require = excluded.require, lead_min = excluded.lead_min,
        start_lag_min = excluded.start_lag_min, stop_lag_min = excluded.stop_lag_min,
        duty_cycled = excluded.duty_cycled
    WHERE (t.production, t.treatment, t.require, t.lead_min, t.start_lag_min, t.stop_lag_min,
           t.duty_cycled)
          IS DISTINCT FROM
          (excluded.production, excluded.treatment, excluded.require, excluded.lead_min,
           excluded.start_lag_min, excluded.stop_lag_min, excluded.duty_cycled)
    RETURNING production[1] AS circuit_id
)
SELECT enterprise_key
FROM saved JOIN circuits USING (circuit_id) JOIN gateways USING (gateway_key)

-- name: save_measures
-- $2 … $5: what is done, who, why, when; each row that differs leaves an entry in the log.
WITH given AS (
    SELECT * FROM jsonb_to_recordset($1) AS x (
        enterprise_id text, level text, action text, scope text[], limit_pct float8,
        hours_from time, hours_to time, grace_min float8)
), before AS (
    SELECT t.* FROM measures t JOIN given USING (enterprise_id, level, action, scope)
), saved AS (
    INSERT INTO measures AS t (enterprise_id, level, action, scope, limit_pct, hours_from,
                               hours_to, grace_min)
    SELECT * FROM given
    ON CONFLICT (enterprise_id, level, action, scope) DO UPDATE SET
        limit_pct = excluded.limit_pct, hours_from = excluded.hours_from,
        hours_to = excluded.hours_to, grace_min = excluded.grace_min
    WHERE (t.limit_pct, t.hours_from, t.hours_to, t.grace_min)
          IS DISTINCT FROM
          (excluded.limit_pct, excluded.hours_from, excluded.hours_to, excluded.grace_min)
    RETURNING t.*
), logged AS (
    INSERT INTO measure_log (enterprise_id, act, actor, reason, at, before, after)
    SELECT enterprise_id, $2, $3, $4, $5, to_jsonb(b), to_jsonb(s)
    FROM saved s LEFT JOIN before b USING (enterprise_id, level, action, scope)
)
SELECT enterprise_key FROM saved JOIN enterprises USING (enterprise_id)

-- name: save_alerts
-- $2 … $5: what is done, who, why, when; each row that differs leaves an entry in the log.
WITH given AS (
    SELECT * FROM jsonb_to_recordset($1) AS x (
        alert_id text, level text, issued_at timestamptz, response_from timestamptz,
        lifted_at timestamptz, districts text[])
), before AS (
    SELECT t.* FROM alerts t JOIN given USING (alert_id)
), saved AS (
    INSERT INTO alerts AS t (alert_id, level, issued_at, response_from, lifted_at, districts)
    SELECT alert_id, level, issued_at, response_from, lifted_at, districts FROM given
    ON CONFLICT (alert_id) DO UPDATE SET
        level = excluded.level, issued_at = excluded.issued_at,
        response_from = excluded.response_from, lifted_at = excluded.lifted_at,
        districts = excluded.districts
    WHERE (t.level, t.issued_at, t.response_from, t.lifted_at, t.districts)
          IS DISTINCT FROM
          (excluded.level, excluded.issued_at, excluded.response_from, excluded.lifted_at,
           excluded.districts)
    RETURNING t.*
), logged AS (
    INSERT INTO alert_log (alert_id, act, actor, reason, at, before, after)
    SELECT alert_id, $2, $3, $4, $5, to_jsonb(b), to_jsonb(s)
    FROM saved s LEFT JOIN before b USING (alert_id)
)
-- one row per alert, so that it is counted; the enterprises of its districts, those that it had
-- before included, in one array
SELECT (SELECT array_agg(enterprise_key) FROM enterprises e
        WHERE cardinality(s.districts) = 0 OR e.district = ANY (s.districts)
              OR cardinality(b.districts) = 0 OR e.district = ANY (b.districts)) AS enterprise_keys
FROM saved s LEFT JOIN before b USING (alert_id)

-- name: save_alert_changes
-- $2 … $5 as for the alerts, in whose log they stand.
WITH given AS (
    SELECT * FROM jsonb_to_recordset($1) AS x (
        alert_id text, issued_at timestamptz, level text, response_from timestamptz)
), before AS (
    SELECT t.* FROM alert_changes t JOIN given USING (alert_id, issued_at)
), saved AS (
    INSERT INTO alert_changes AS t (alert_id, issued_at, level, response_from)
    SELECT * FROM given
    ON CONFLICT (alert_id, issued_at) DO UPDATE SET
        level = excluded.level, response_from = excluded.response_from
    WHERE (t.level, t.response_from) IS DISTINCT FROM (excluded.level, excluded.response_from)
    RETURNING t.*
), logged AS (
    INSERT INTO alert_log (alert_id, act, actor, reason, at, before, after)
    SELECT alert_id, $2, $3, $4, $5, to_jsonb(b), to_jsonb(s)
    FROM saved s LEFT JOIN before b USING (alert_id, issued_at)
)
SELECT (SELECT array_agg(enterprise_key) FROM enterprises e
        WHERE cardinality(a.districts) = 0 OR e.district = ANY (a.districts)) AS enterprise_keys
FROM saved JOIN alerts a USING (alert_id)

-- name: save_declarations
-- The span comes back as it is and as it was: days that a declaration left are judged again, too.
WITH given AS (
    SELECT * FROM jsonb_to_recordset($1) AS x (
        enterprise_id text, from_at timestamptz, to_at timestamptz, reason text,
        circuits text[], status text)
), before AS (
    SELECT t.* FROM declarations t JOIN given USING (enterprise_id, from_at, reason, circuits)
), saved AS (
    INSERT INTO declarations AS t (enterprise_id, from_at, to_at, reason, circuits, status)
    SELECT * FROM given
    ON CONFLICT (enterprise_id, from_at, reason, circuits) DO UPDATE SET
        to_at = excluded.to_at, status = excluded.status
    WHERE (t.to_at, t.status) IS DISTINCT FROM (excluded.to_at, excluded.status)
    RETURNING t.*
)
SELECT enterprise_key, from_at, greatest(s.to_at, b.to_at) AS to_at
FROM saved s JOIN enterprises USING (enterprise_id)
     LEFT JOIN before b USING (enterprise_id, from_at, reason, circuits)

-- name: save_inspections
WITH saved AS (
    INSERT INTO inspections AS t (enterprise_id, from_at, to_at)
    SELECT * FROM jsonb_to_recordset($1) AS x (
        enterprise_id text, from_at timestamptz, to_at timestamptz)
    ON CONFLICT (enterprise_id, from_at) DO UPDATE SET to_at = excluded.to_at
    WHERE t.to_at IS DISTINCT FROM excluded.to_at
    RETURNING enterprise_id
)
SELECT enterprise_key FROM saved JOIN enterprises USING (enterprise_id)

-- name: bump_revision
UPDATE registry_state SET revision = revision + 1

-- name: mark_changed
-- $1: who measures what, where and with what changed: any day of these enterprises may differ.
-- $2: alerts, measures or inspections changed: they change no day, only what is concluded from all
-- of them, and one day has the enterprise concluded again.
-- $3 … $5: a declaration changed: days of [first, last], and the first one after, which brings the
-- silent days before it along.
-- One statement, in the order in which the ingest marks: the two never wait for each other.
INSERT INTO dirty_days (enterprise_key, day, mark)
SELECT enterprise_key, day, nextval('dirty_mark')
FROM (SELECT enterprise_key, day FROM data_days WHERE enterprise_key = ANY ($1::int[])
      UNION
      SELECT enterprise_key, max(day) FROM data_days WHERE enterprise_key = ANY ($2::int[])
      GROUP BY enterprise_key
      UNION
      SELECT d.enterprise_key, d.day
      FROM unnest($3::int[], $4::date[], $5::date[]) AS t (enterprise_key, first, last)
           JOIN data_days d USING (enterprise_key)
      WHERE d.day >= t.first
            AND d.day <= coalesce((SELECT min(n.day) FROM data_days n
                                   WHERE n.enterprise_key = t.enterprise_key AND n.day > t.last),
                                  t.last)) touched
ORDER BY enterprise_key, day
ON CONFLICT (enterprise_key, day) DO UPDATE SET mark = excluded.mark
