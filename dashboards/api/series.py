"""/api/v1/series: bands of power for charts, down to the circuit's own interval."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from dashboards.api.parameters import InWindow
from dashboards.api.records import Record
from dashboards.charts import POINTS_AT_MOST, bucket_s, series_json
from dashboards.desk import TheDesk
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.instants import US_PER_DAY, US_PER_SECOND, to_us
from wattwitness.store.series import bands

router = APIRouter(tags=["readings"])
_CIRCUITS_AT_MOST = 24
_DAYS_AT_MOST = 800


class SeriesRecord(Record):
    """One circuit's band [kW]; entry i is the bucket that begins `start + i * bucket_s`."""

    circuit_id: str
    bucket_s: int
    start: int
    mean: list[float | None]
    min: list[float | None]
    max: list[float | None]
    count: list[int]


class SeriesAnswer(Record):
    """Bands of several circuits over one window."""

    series: list[SeriesRecord]


@router.get("/series")
async def series(
    desk: TheDesk,
    window: InWindow,
    circuit: Annotated[list[str], Query(min_length=1, max_length=_CIRCUITS_AT_MOST)],
    points: Annotated[int, Query(ge=1, le=POINTS_AT_MOST)] = 800,
) -> SeriesAnswer:
    """Mean, minimum and maximum per bucket; null only where a bucket holds no reading at all."""
    registry = await desk.registry()
    start_us, end_us = to_us(window[0]), to_us(window[1])
    if end_us - start_us > _DAYS_AT_MOST * US_PER_DAY:
        raise InputRefusedError(f"the window is longer than {_DAYS_AT_MOST} days", "ask for less")
    by_width: dict[int, list[str]] = {}
    for circuit_id in dict.fromkeys(circuit):
        if circuit_id not in registry.circuits:
            raise HTTPException(404, f"no circuit {circuit_id!r}")
        width = bucket_s(end_us - start_us, points, registry.interval_s(circuit_id))
        by_width.setdefault(width, []).append(circuit_id)
    found = {}
    for width, ids in by_width.items():
        width_us = width * US_PER_SECOND
        low, high = start_us // width_us * width_us, -(-end_us // width_us) * width_us
        keys = [registry.circuit_keys[i] for i in ids]
        got = await bands(desk.db, keys, low, high, width_us)
        for circuit_id, key in zip(ids, keys, strict=True):
            found[circuit_id] = SeriesRecord(**series_json(circuit_id, got[key], width))
    return SeriesAnswer(series=[found[circuit_id] for circuit_id in dict.fromkeys(circuit)])
