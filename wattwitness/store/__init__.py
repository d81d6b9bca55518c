"""PostgreSQL (with TimescaleDB where it is present): the only importer of asyncpg.

One module per noun, its SQL in `sql/` beside it; `database` opens, `migrations` upgrades.
"""
