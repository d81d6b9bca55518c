-- name: partitions
SELECT relid::regclass::text AS name FROM pg_partition_tree('readings') WHERE isleaf

-- name: chunks
SELECT format('%I.%I', chunk_schema, chunk_name) AS name, range_start, range_end
FROM timescaledb_information.chunks
WHERE hypertable_name = 'readings' AND hypertable_schema = current_schema()
ORDER BY range_end

-- name: month_chunk
-- a chunk of our own choice; rows that fall into it find it there
SELECT chunk_id FROM _timescaledb_functions.create_chunk(
    'readings', jsonb_build_object('ts', jsonb_build_array($1::bigint, $2::bigint)))
