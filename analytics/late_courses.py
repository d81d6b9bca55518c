"""Keeps the late courses of an enterprise after its findings were stored."""

import asyncio
from collections.abc import Sequence

from analytics.bench import Bench
from analytics.verdicts.courses import late_pieces
from analytics.verdicts.judging import Case


async def keep_late_courses(
    bench: Bench, enterprise_id: str, cases: Sequence[Case], reach_us: int
) -> None:
    """Judge the minutes that changed, newest alert first, and store them alert by alert.

    Args:
        bench: where the courses are kept.
        enterprise_id: of the cases.
        cases: that its verdicts rest on.
        reach_us: how far the data reach.

    Raises:
        AnalysisStoppedError: `bench.stop` was set before the end.
    """
    alerts = [case.plan.alert for case in cases]
    if not alerts:
        return
    stand = await bench.results.late_stand(enterprise_id, [alert.alert_id for alert in alerts])
    if stand is None:
        return
    for case in reversed(cases):
        alert = case.plan.alert
        known = stand.pieces.get(alert.alert_id, {})
        if not known and stand.since and alert.lifted_at and alert.lifted_at < stand.since:
            continue
        bench.check_stop()
        kept, pieces = await asyncio.to_thread(
            late_pieces, case, reach_us, known, bench.calibration
        )
        if pieces or len(kept) < len(known):
            await bench.results.save_late(enterprise_id, alert.alert_id, kept, pieces)
