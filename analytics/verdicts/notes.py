"""What is told beside a verdict: where production may have gone, and what fell silent.

shifted_before            production surged in the 24 h before the response
shifted_unmetered         the main meter saw more than its sub-meters during the alert
shifted_night             production moved into the night
silent_with_alert         meters fell silent when the alert began
treatment_off_while_held  production went on, its treatment did not
"""

from collections.abc import Sequence
from datetime import timedelta

from analytics.baselines.frozen import FrozenBaseline
from analytics.baselines.horizons import usual_in, view_of
from analytics.detectors import (
    data_gap_at_alert,
    production_surge,
    treatment_off,
    unmetered_production,
)
from analytics.detectors.plant_energy import energy_rows
from analytics.detectors.stages import History
from analytics.plants import Interval
from analytics.verdicts.conduct import Conduct, conduct_of
from analytics.verdicts.orders import Order, Plan, without
from analytics.verdicts.windows import Segment, day_parts, local_day_us, segments_of
from wattwitness.domain.episodes import Episode
from wattwitness.domain.instants import (
    US_PER_DAY,
    US_PER_HOUR,
    from_us,
    local_day,
    to_us,
)
from wattwitness.domain.registry import Alert
from wattwitness.domain.rules import CATALOGUE

HELD_OFF_MIN = 30.0  # of production without treatment that are told
NIGHT_FROM_H, NIGHT_TO_H = 22, 6  # local
NIGHT_MIN = 60.0  # of running that are told
NIGHT_SHARE = 0.75  # of all running
USUAL_NIGHT_SHARE = 0.5  # a plant that works at night anyway has moved nothing
SILENT_BEFORE_H, SILENT_AFTER_H = 2, 4  # around the response
SILENT_MARGIN_H = 1  # in which meters may have fallen silent, on both sides
TOLD, DARK = 0.8, 0.2  # share of known minutes before, and after
_LOOKS = (data_gap_at_alert, production_surge, treatment_off, unmetered_production)


def beside(history: History) -> list[Episode]:
    """Episodes that notes are made of."""
    return [episode for look in _LOOKS for episode in look.episodes(history)]


def notes_of(history: History, alert: Alert, episodes: Sequence[Episode]) -> tuple[str, ...]:
    """Codes that episodes of an enterprise tell beside its verdict on an alert.

    Args:
        history: of the enterprise.
        alert: that concerns it.
        episodes: of the enterprise, at least those of `beside`.
    """
    begins = alert.response_from
    ends = alert.lifted_at or from_us(history.watermark_us)
    near = timedelta(minutes=CATALOGUE[data_gap_at_alert.KIND].parameters["window_min"])
    found = set()
    for e in episodes:
        if e.suppressed_by is not None:
            continue
        during = e.from_ < ends and e.to > begins
        if e.kind == production_surge.KIND and e.to == begins:
            found.add("shifted_before")
        elif e.kind == unmetered_production.KIND and during and e.from_ >= begins - near:
            found.add("shifted_unmetered")
        elif e.kind == data_gap_at_alert.KIND and abs(e.from_ - begins) <= near:
            found.add("silent_with_alert")
        elif e.kind == treatment_off.KIND and during:
            held = (min(e.to, ends) - max(e.from_, begins)) / timedelta(minutes=1)
            if held >= HELD_OFF_MIN:
                found.add("treatment_off_while_held")
    if _fell_silent(history, alert):
        found.add("silent_with_alert")
    return tuple(sorted(found))


def _fell_silent(history: History, alert: Alert) -> bool:
    """Whether the production was known until about the response, and not from then on.

    A fact, not a suspicion: whether a line failed or a plug was pulled is for the gap's own rule.
    """
    rows = energy_rows(history.plant)
    begins = to_us(alert.response_from)
    ends = history.watermark_us if alert.lifted_at is None else to_us(alert.lifted_at)
    until = min(ends, history.watermark_us, begins + SILENT_AFTER_H * US_PER_HOUR)
    margin = SILENT_MARGIN_H * US_PER_HOUR
    if not rows or until < begins + 2 * margin:
        return False
    conduct = conduct_of(history, begins - (SILENT_BEFORE_H + 1) * US_PER_HOUR, until)
    before = conduct.known[rows, : conduct.place(begins - margin)]
    after = conduct.known[rows, conduct.place(begins + margin) :]
    return bool(before.mean() >= TOLD and after.mean() <= DARK)


def _nights(plan: Plan, from_us_: int, to_us_: int) -> list[Interval]:
    zone = plan.plant.zone
    found = []
    at = from_us_ - US_PER_DAY
    while at < to_us_ + US_PER_DAY:
        begin, end = local_day_us(local_day(from_us(at), zone), zone)
        found.append((begin + NIGHT_FROM_H * US_PER_HOUR, end + NIGHT_TO_H * US_PER_HOUR))
        at = end
    return found


def _running_min(conduct: Conduct, order: Order, segments: Sequence[Segment]) -> float:
    return float(
        sum(
            conduct.sums(s.from_us, s.to_us).running_min[[order.rows[n] for n in s.places]].sum()
            for s in segments
        )
    )


def _by_night(
    segments: Sequence[Segment], nights: Sequence[Interval]
) -> tuple[list[Segment], list[Segment]]:
    """The parts of segments that lie in the night, and those that do not."""
    day, night = [], []
    for s in segments:
        light = without([(s.from_us, s.to_us)], nights)
        dark = without([(s.from_us, s.to_us)], light)
        day += [Segment(a, b, s.places) for a, b in light]
        night += [Segment(a, b, s.places) for a, b in dark]
    return day, night


def shifted_to_night(
    plan: Plan,
    baseline: FrozenBaseline,
    conduct: Conduct,
    until_us: int,
    orders: Sequence[Order],
) -> tuple[str, ...]:
    """Whether what still ran moved to the night hours of a plant that usually works by day.

    Args:
        plan: of the enterprise.
        baseline: of the alert.
        conduct: of the enterprise.
        until_us: how far is judged [µs].
        orders: that were not kept.
    """
    for order in orders:
        end = min(order.to_us, until_us)
        if not order.rows or end <= order.from_us:
            continue
        segments = segments_of(plan, order, order.from_us, end)
        ran = _running_min(conduct, order, segments)
        if ran < NIGHT_MIN:
            continue
        day, night = _by_night(segments, _nights(plan, order.from_us, end))
        dark = _running_min(conduct, order, night)
        if dark < NIGHT_MIN or dark < NIGHT_SHARE * ran or not day:
            continue
        view = view_of(baseline, order.rows, energy=False)
        usual = [
            usual_in(baseline, view, view.running_min, day_parts(plan, part))
            for part in (day, night)
        ]
        light, usual_dark = usual[0].amount, usual[1].amount
        if light > 0 and usual_dark < USUAL_NIGHT_SHARE * (light + usual_dark):
            return ("shifted_night",)
    return ()
