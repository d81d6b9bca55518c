-- name: usable
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
       AND current_setting('timescaledb.max_background_workers', true) IS NOT NULL AS here,
       to_regclass('readings_plain') IS NOT NULL AS left_over

-- name: others
SELECT string_agg(DISTINCT application_name, ', ') FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'wattwitness-%'
  AND application_name NOT IN ('wattwitness-move', 'wattwitness-db', 'wattwitness-maintenance')

-- name: make
CREATE TABLE IF NOT EXISTS readings_moved (
    LIKE readings INCLUDING DEFAULTS, PRIMARY KEY (circuit_key, ts)
)

-- name: is_hypertable
SELECT EXISTS (SELECT FROM timescaledb_information.hypertables
               WHERE hypertable_name = $1 AND hypertable_schema = current_schema())

-- name: make_hypertable
SELECT create_hypertable('readings_moved', by_range('ts', INTERVAL '2 days'),
                         create_default_indexes => false)

-- name: rollups_hypertable
SELECT create_hypertable('rollups', by_range('bucket', INTERVAL '20 days'),
                         create_default_indexes => false, migrate_data => true)

-- name: refuse
-- The mover itself writes: it tells so by a setting of its session.
CREATE OR REPLACE FUNCTION readings_moving() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('wattwitness.mover', true) = 'yes'
       OR pg_try_advisory_xact_lock_shared({lock}) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the readings are being moved' USING ERRCODE = 'lock_not_available';
END
$$

-- name: turn_away
CREATE OR REPLACE TRIGGER moving BEFORE INSERT ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION readings_moving()

-- name: chunk_there
SELECT EXISTS (SELECT FROM timescaledb_information.chunks
               WHERE hypertable_name = 'readings_moved' AND hypertable_schema = current_schema()
                 AND range_start < $2 AND range_end > $1)

-- name: month_chunk
SELECT chunk_id FROM _timescaledb_functions.create_chunk(
    'readings_moved', jsonb_build_object('ts', jsonb_build_array($1::bigint, $2::bigint)))

-- name: clear
DELETE FROM readings_moved WHERE ts >= $1 AND ts < $2

-- name: view
SELECT pg_get_viewdef('readings_measured')
