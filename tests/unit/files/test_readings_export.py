"""Law: what is exported reads back as the same readings, in every format."""

import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wattwitness.domain.instants import to_us
from wattwitness.domain.readings import MEASURANDS, NEVER, Readings, empty_readings
from wattwitness.files.outputs import Format
from wattwitness.files.readings_export import export_readings
from wattwitness.files.readings_files import read_chunks

IDS = {1: "C1", 2: "一号,窑", 3: '=SUM("A1")'}
T0_US = to_us(datetime(2020, 1, 1, tzinfo=UTC))

# what the store can give: whole counts over a power of ten
_decimal = st.none() | st.integers(-(10**9), 10**9).map(lambda n: n / 100)
_instant = st.integers(0, 10**14).map(lambda n: T0_US + n) | st.integers(0, 10**6).map(
    lambda n: T0_US + n * 60_000_000
)
_row = st.tuples(
    st.sampled_from(sorted(IDS)),
    _instant,
    st.integers(-(10**9), 10**9).map(lambda n: n / 1000),  # p_kw: every reading has some value
    st.lists(_decimal, min_size=9, max_size=9),
    st.none() | _instant,
    st.booleans(),
)


def rows_of(values: list) -> Readings:
    rows = empty_readings(len(values))
    for n, (key, ts, p_kw, others, received, resent) in enumerate(values):
        rows[n]["circuit"], rows[n]["ts"], rows[n]["p_kw"] = key, ts, p_kw
        for name, value in zip(MEASURANDS[1:], others, strict=True):
            rows[n][name] = np.nan if value is None else value
        rows[n]["received_at"] = NEVER if received is None else received
        rows[n]["resent"] = resent
    return rows


async def blocks(*parts: Readings) -> AsyncIterator[Readings]:
    for part in parts:
        yield part


@pytest.mark.parametrize("file_format", list(Format))
async def test_an_empty_export_is_a_readings_file(tmp_path, file_format):
    path = tmp_path / f"r.{file_format}"
    with path.open("wb") as stream:
        assert await export_readings(stream, blocks(), IDS, file_format) == 0
    assert sum(chunk.rows_read for chunk in read_chunks(path)) == 0


@pytest.mark.parametrize("file_format", list(Format))
@settings(max_examples=40, deadline=None)
@given(values=st.lists(_row, min_size=1, max_size=8), cut=st.integers(0, 8))
async def test_export_then_read_is_the_same(tmp_path_factory, file_format, values, cut):
    rows = rows_of(values)
    path = tmp_path_factory.mktemp("export") / f"r.{file_format}"
    parts = [part for part in (rows[:cut], rows[cut:]) if len(part)]
    with path.open("wb") as stream:
        assert await export_readings(stream, blocks(*parts), IDS, file_format) == len(rows)
    (chunk,) = read_chunks(path)
    assert chunk.rejects == ()
    assert [chunk.circuits[c] for c in chunk.rows["circuit"]] == [IDS[k] for k in rows["circuit"]]
    for name in ("ts", *MEASURANDS, "received_at", "resent"):
        np.testing.assert_array_equal(chunk.rows[name], rows[name], err_msg=name)


async def test_csv_is_written_for_people_too():
    rows = rows_of([(1, T0_US, 12.68, [1234567.89, *[None] * 8], T0_US + 1_500_000, True)])
    stream = io.BytesIO()
    await export_readings(stream, blocks(rows), IDS, Format.CSV)
    assert stream.getvalue().decode().splitlines() == [
        "circuit_id,ts,p_kw,e_kwh,q_kvar,u_a,u_b,u_c,i_a,i_b,i_c,pf,received_at,resent",
        "C1,2020-01-01T00:00:00Z,12.68,1234567.89,,,,,,,,,2020-01-01T00:00:01.500000Z,1",
    ]


async def test_json_is_one_array_of_objects():
    import json  # noqa: PLC0415 - the only user

    rows = rows_of([(2, T0_US, 1.5, [None] * 9, None, False)] * 2)
    for parts, count in (((rows[:1], rows[1:]), 2), ((), 0)):
        stream = io.BytesIO()
        await export_readings(stream, blocks(*parts), IDS, Format.JSON)
        records = json.loads(stream.getvalue())
        assert len(records) == count
    first = {"circuit_id": "一号,窑", "ts": "2020-01-01T00:00:00Z", "p_kw": 1.5, "e_kwh": None}
    stream = io.BytesIO()
    await export_readings(stream, blocks(rows), IDS, Format.JSON)
    assert json.loads(stream.getvalue())[0].items() >= first.items()


async def test_parquet_is_typed(tmp_path):
    path = tmp_path / "r.parquet"
    rows = rows_of([(1, T0_US, 1.5, [None] * 9, None, False)])
    with path.open("wb") as stream:
        await export_readings(stream, blocks(rows), IDS, Format.PARQUET)
    table = pq.read_table(path)
    assert str(table.schema.field("ts").type) == "timestamp[us, tz=UTC]"
    assert table["e_kwh"].null_count == 1


@pytest.mark.parametrize("file_format", list(Format))
async def test_an_export_that_fails_midway_is_not_made_to_look_whole(tmp_path, file_format):
    async def torn() -> AsyncIterator[Readings]:
        yield rows_of([(1, T0_US, 1.5, [None] * 9, None, False)])
        raise RuntimeError

    path = tmp_path / f"r.{file_format}"
    with path.open("wb") as stream, pytest.raises(RuntimeError):
        await export_readings(stream, torn(), IDS, file_format)
    assert not path.read_bytes().endswith(b"]\n")
