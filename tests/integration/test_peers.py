"""The comparison's plays on real parts, small: no network, nothing is installed."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.peers.collectors import ALL, Where
from benchmarks.peers.plan import Plan
from benchmarks.peers.plays import Play
from benchmarks.peers.stage import Stage
from benchmarks.peers.supervised import Supervised


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="ww-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        stage = Stage(Path(folder))
        yield stage
        stage.close()


async def scene(stage: Stage, name: str, folder: Path, plan: Plan) -> tuple[Play, Supervised]:
    collector = ALL[name]()
    assert collector.install(folder)
    where = Where(stage.new_broker(f"broker-{name}"), await stage.new_database(name), folder)
    process = Supervised(await collector.prepare(where, plan), folder / "log")
    play = Play(stage, collector, where, process, plan)
    await play.begin()
    return play, process


@pytest.mark.parametrize("name", ["wattwitness", "aiomqtt"])
async def test_a_backlog_is_drained_and_timed(stage: Stage, name: str, tmp_path: Path):
    play, process = await scene(stage, name, tmp_path, Plan(messages=300))
    try:
        drained = await play.drain()
    finally:
        await process.stop()
        stage.stop_brokers()
        await stage.drop_database(name)
    assert drained.judgement.is_clean
    assert drained.rate > 0


async def test_who_acknowledges_after_the_commit_loses_nothing(stage: Stage, tmp_path: Path):
    name = "aiomqtt-manual-ack"
    play, process = await scene(stage, name, tmp_path, Plan(messages=500))
    try:
        faulted = await play.kill(rate=500.0)
    finally:
        await process.stop()
        stage.stop_brokers()
        await stage.drop_database(name)
    assert faulted.judgement.is_clean
    assert not faulted.helped
