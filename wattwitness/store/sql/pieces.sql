-- name: keep_rejects
INSERT INTO rejects (received_at, day, gateway_id, code, reason, item, readings, payload, digest)
SELECT * FROM unnest($1::timestamptz[], $2::date[], $3::text[], $4::text[], $5::text[], $6::int[],
                     $7::int[], $8::bytea[], $9::bytea[])
ON CONFLICT (digest) DO NOTHING
RETURNING gateway_id, day, code, readings

-- name: keep_parked
INSERT INTO parked (received_at, day, gateway_id, channel, readings, payload, digest)
SELECT * FROM unnest($1::timestamptz[], $2::date[], $3::text[], $4::text[], $5::int[],
                     $6::bytea[], $7::bytea[])
ON CONFLICT (digest) DO NOTHING
RETURNING gateway_id, day, channel, readings

-- name: take_rejects
DELETE FROM rejects WHERE reject_id = ANY ($1) RETURNING gateway_id, day, code, readings

-- name: take_parked
DELETE FROM parked WHERE parked_id = ANY ($1) RETURNING gateway_id, day, channel, readings
