"""What was kept before days were packed is packed by the upgrade."""

import struct
from datetime import UTC, date, datetime, timedelta

import numpy as np

from wattwitness.domain.spells import ConditionSpell
from wattwitness.store.database import Database
from wattwitness.store.findings import load_facts, load_histograms, load_spells
from wattwitness.store.migrations import load_migrations, upgrade

PACKED = 12
DAY = date(2026, 1, 5)
T0 = datetime(2026, 1, 5, 2, 3, 4, 567_891, tzinfo=UTC)
_OLD = """
INSERT INTO enterprises (enterprise_id, name, grade, positive_list)
    VALUES ('E1', 'E1', 'none', FALSE);
INSERT INTO gateways (gateway_id, enterprise_key, protocol, interval_s)
    SELECT 'G1', enterprise_key, 'mqtt', 60 FROM enterprises;
INSERT INTO circuits (circuit_id, gateway_key, channel, role, register_resolution_kwh, nominal_v)
    SELECT 'P', gateway_key, 'P', 'production', 0.01, 220 FROM gateways;
"""


def spell(minutes: int, subject: str = "PR", **sums: float) -> ConditionSpell:
    start = T0 + timedelta(minutes=minutes)
    return ConditionSpell(
        enterprise_id="E1",
        kind="treatment_off",
        subject=subject,
        from_=start,
        to=start + timedelta(minutes=7),
        sums=sums,
    )


async def test_what_was_kept_as_rows_is_packed(database_url):
    spells = [spell(30, known_min=7.0), spell(0, known_min=7.0, main_kwh=0.123456), spell(60, "回")]
    async with await Database.open(database_url) as db:
        async with db.connection() as connection:
            await connection.execute(
                "CREATE TABLE migrations (number int PRIMARY KEY, name text NOT NULL,"
                " applied_at timestamptz NOT NULL DEFAULT now())"
            )
            for step in load_migrations(db.mode):
                if step.number < PACKED:
                    await connection.execute(step.sql)
                    await connection.execute(
                        "INSERT INTO migrations VALUES ($1, $2)", step.number, step.name
                    )
            await connection.execute(_OLD)
            key = await connection.fetchval("SELECT enterprise_key FROM enterprises")
            for day, subject, *numbers in (
                (DAY, "B", 1.5, float("nan")),
                (DAY, "", 2.5, 3.5),
                (DAY + timedelta(days=1), "B", 4.5, 5.5),
            ):
                await connection.execute(
                    "INSERT INTO day_facts VALUES ($1, $2, 'level', $3, $4)",
                    key, day, subject, struct.pack("<2f", *numbers),
                )  # fmt: skip
            for s in spells:
                await connection.execute(
                    "INSERT INTO condition_spells VALUES ($1, $2, $3, $4, $5, $6, $7)",
                    key, DAY, s.kind, s.subject, s.from_, s.to, dict(s.sums),
                )  # fmt: skip
            counts = [0] * 256
            counts[3], counts[255] = 1400, 40
            await connection.execute(
                "INSERT INTO day_histograms SELECT circuit_key, $1, $2 FROM circuits", DAY, counts
            )
        assert PACKED in {step.number for step in await upgrade(db)}
        facts = await load_facts(db, "E1")
        np.testing.assert_array_equal(facts.table("level", "B").values, [[1.5, np.nan], [4.5, 5.5]])
        np.testing.assert_array_equal(facts.table("level", "").values, [[2.5, 3.5]])
        assert list(await load_spells(db, "E1")) == sorted(
            spells, key=lambda s: (s.subject, s.from_)
        )
        ((day, bins),) = (await load_histograms(db, ["P"], DAY, DAY))["P"]
        assert day == DAY
        assert bins.tolist() == counts
