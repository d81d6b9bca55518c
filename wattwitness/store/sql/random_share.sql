-- name: enterprises_with_data
SELECT DISTINCT enterprise_id
FROM latest
JOIN circuits USING (circuit_key)
JOIN gateways USING (gateway_key)
JOIN enterprises USING (enterprise_key)
ORDER BY enterprise_id
