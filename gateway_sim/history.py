"""A city's history as files: registry CSVs, readings as parquet, the answer key.

One readings file per enterprise, circuit by circuit (that loads twice as fast as minute by
minute). A reading that had not arrived by the end of the history is left to the live part.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gateway_sim.answer_key import write_answer_key
from gateway_sim.city import City
from gateway_sim.plant import Plant
from gateway_sim.registry_files import write_registry
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.readings import MEASURANDS, NEVER, Readings

READINGS_FOLDER = "readings"
_UTC = pa.timestamp("us", tz="UTC")


def readings_table(rows: Readings, circuit_ids: dict[int, str]) -> pa.Table:
    """READING_DTYPE rows as a table of the readings contract; NaN and NEVER become null.

    Args:
        rows: readings, any order.
        circuit_ids: integer key → circuit id.
    """
    keys, codes = np.unique(rows["circuit"], return_inverse=True)
    names = pa.array([circuit_ids[int(key)] for key in keys], pa.string())
    columns: dict[str, pa.Array] = {
        "circuit_id": pa.DictionaryArray.from_arrays(codes.astype(np.int32), names),
        "ts": pa.array(rows["ts"], _UTC),
    }
    for name in MEASURANDS:
        values = np.ascontiguousarray(rows[name])
        missing = np.isnan(values)
        if missing.all() and name != "p_kw":
            continue
        columns[name] = pa.array(values, mask=missing if missing.any() else None)
    received = np.ascontiguousarray(rows["received_at"])
    columns["received_at"] = pa.array(received, _UTC, mask=received == NEVER)
    columns["resent"] = pa.array(rows["resent"].astype(np.int8))
    return pa.table(columns)


def arrived_rows(plant: Plant, from_us: int, to_us: int, by_us: int) -> Readings:
    """Readings sampled in [from_us, to_us) that were received before `by_us`."""
    rows = plant.readings(from_us, to_us)
    arrived = rows["received_at"] < by_us
    return rows if arrived.all() else rows[arrived]


def write_history(
    city: City, folder: Path, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> int:
    """Write everything about a city's past into `folder`; returns the number of readings.

    Raises:
        InputRefusedError: the folder cannot be written.
    """
    readings_folder = folder / READINGS_FOLDER
    try:
        readings_folder.mkdir(parents=True, exist_ok=True)
        write_registry(city.registry, folder)
        write_answer_key(city, folder)
        total = 0
        for done, plant in enumerate(city.plants):
            progress(done, len(city.plants))
            total += _write_plant(city, plant, readings_folder)
        progress(len(city.plants), len(city.plants))
    except OSError as error:
        raise InputRefusedError(f"{folder}: {error.strerror}", "name a folder of yours") from None
    return total


def _write_plant(city: City, plant: Plant, folder: Path) -> int:
    rows = arrived_rows(plant, city.start_us, city.end_us, city.end_us)
    names = {plant.keys[name]: name for name in plant.circuit_ids}
    path = folder / f"{plant.enterprise_id}.parquet"
    unfinished = path.with_suffix(".part")
    pq.write_table(
        readings_table(rows, names),
        unfinished,
        compression="lz4",
        use_dictionary=["circuit_id", "p_kw", "u_a", "u_b", "u_c", "pf", "resent"],
        write_statistics=False,
        row_group_size=1 << 18,
    )
    unfinished.replace(path)
    return len(rows)
