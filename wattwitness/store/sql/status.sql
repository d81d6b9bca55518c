-- name: sizes_plain
SELECT (SELECT coalesce(sum(pg_total_relation_size(relid)), 0) FROM pg_partition_tree('readings'))
           ::bigint AS readings,
       pg_total_relation_size('rollups')::bigint AS rollups,
       (SELECT coalesce(sum(greatest(reltuples, 0)), 0)::bigint FROM pg_class
        WHERE oid IN (SELECT relid FROM pg_partition_tree('readings') WHERE isleaf)) AS about

-- name: sizes_hypertable
WITH pieces AS (
    SELECT hypertable_name, format('%I.%I', chunk_schema, chunk_name)::regclass AS chunk
    FROM timescaledb_information.chunks
    WHERE hypertable_schema = current_schema() AND hypertable_name IN ('readings', 'rollups')
),
sized AS (
    SELECT hypertable_name, pg_total_relation_size(chunk)
           + coalesce(pg_total_relation_size(compress_relid), 0) AS bytes
    FROM pieces LEFT JOIN _timescaledb_catalog.compression_settings ON relid = chunk
)
SELECT coalesce(sum(bytes) FILTER (WHERE hypertable_name = 'readings'), 0)::bigint AS readings,
       coalesce(sum(bytes) FILTER (WHERE hypertable_name = 'rollups'), 0)::bigint AS rollups,
       approximate_row_count('readings') AS about
FROM sized

-- name: compression
-- Of the readings' chunks: before is as the extension noted it, after is as it is on disk now.
SELECT count(*) AS chunks,
       count(*) FILTER (WHERE i.is_compressed) AS compressed,
       count(*) FILTER (WHERE _timescaledb_functions.chunk_status(c.chunk) & 8 > 0) AS partial,
       coalesce(sum(z.numrows_pre_compression), 0)::bigint AS readings,
       coalesce(sum(z.uncompressed_heap_size + z.uncompressed_toast_size
                    + z.uncompressed_index_size), 0)::bigint AS bytes_before,
       coalesce(sum(pg_total_relation_size(c.chunk) + pg_total_relation_size(s.compress_relid)), 0)
           ::bigint AS bytes_after
FROM timescaledb_information.chunks i
CROSS JOIN LATERAL (SELECT format('%I.%I', chunk_schema, chunk_name)::regclass AS chunk) c
LEFT JOIN _timescaledb_catalog.compression_settings s ON s.relid = c.chunk
LEFT JOIN _timescaledb_catalog.chunk k ON k.relid = c.chunk
LEFT JOIN _timescaledb_catalog.compression_chunk_size z ON z.chunk_id = k.id
WHERE i.hypertable_name = 'readings' AND i.hypertable_schema = current_schema()

-- name: waiting
SELECT (SELECT count(*) FROM dirty_hours) AS dirty_hours,
       (SELECT count(*) FROM touched_hours) AS touched_batches,
       (SELECT count(*) FROM dirty_days) AS dirty_days,
       (SELECT raw_from FROM retention WHERE isfinite(raw_from)) AS raw_from
