from datetime import timedelta

import pytest

from analytics.episodes.declared import split
from analytics.episodes.joining import join
from wattwitness.domain.registry import Declaration, DeclarationReason
from wattwitness.domain.spells import ConditionSpell


def spell(kit, start, minutes, before=0.0, after=0.0):
    from_ = kit.at(0, 0) + timedelta(minutes=start)
    return ConditionSpell(
        enterprise_id="E",
        kind="treatment_off",
        subject="PT",
        from_=from_,
        to=from_ + timedelta(minutes=minutes),
        sums={
            "open_before_min": before,
            "open_after_min": after,
            "unknown_before_min": before,
            "unknown_after_min": after,
            "production_kwh": 2.0 * minutes,
        },
    )


def test_spells_join_over_short_open_time_only(kit) -> None:
    joined = join([spell(kit, 0, 20, after=8), spell(kit, 28, 20, before=8)], 10)
    assert [s.known_min for s in joined] == [40.0]
    assert joined[0].unknown_min == 8.0
    apart = join([spell(kit, 0, 20, after=3), spell(kit, 28, 20, before=2)], 10)
    assert len(apart) == 2  # treatment worked in between
    long = join([spell(kit, 0, 20, after=30), spell(kit, 50, 20, before=30)], 10)
    assert len(long) == 2


def test_spells_join_across_midnight(kit) -> None:
    midnight = 1440
    parts = [spell(kit, midnight - 23, 20, after=3), spell(kit, midnight + 4, 20, before=4)]
    (joined,) = join(parts, 10)
    assert joined.unknown_min == 7.0


def test_the_order_of_spells_does_not_matter(kit) -> None:
    parts = [spell(kit, n * 30, 20, 10, 10) for n in range(5)]
    assert join(parts[::-1], 10) == join(parts, 10)


def test_the_instant_at_which_thirty_minutes_were_known(kit) -> None:
    (joined,) = join([spell(kit, 0, 20, after=8), spell(kit, 28, 20, before=8)], 10)
    assert joined.minutes_known_at(30) == kit.at(0, 0) + timedelta(minutes=38)
    with pytest.raises(ValueError, match="40"):
        joined.minutes_known_at(41)


def test_a_stretch_is_cut_at_overlapping_declarations(kit) -> None:
    (stretch,) = join([spell(kit, 0, 100)], 10)

    def paper(start, end):
        return Declaration(
            enterprise_id="E",
            from_=kit.at(0, 0) + timedelta(minutes=start),
            to=kit.at(0, 0) + timedelta(minutes=end),
            reason=DeclarationReason.MAINTENANCE,
        )

    parts = split(stretch, kit.pairing, [paper(40, 60), paper(20, 50)])
    cuts = [(p.stretch.known_min, p.declaration is not None) for p in parts]
    assert cuts == [(20, False), (30, True), (10, True), (40, False)]
    assert sum(p.stretch.total("production_kwh") for p in parts) == pytest.approx(200)
