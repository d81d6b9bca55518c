"""The fuzzer's oracle agrees with the collector, and notices one that makes mistakes."""

import pytest

import collector.core
from benchmarks.fuzz.chapters import Result, in_memory
from benchmarks.fuzz.messages import make_messages
from benchmarks.fuzz.report import print_report
from benchmarks.fuzz.wrong import Wrong
from collector.decode import place


@pytest.fixture(autouse=True)
def right_again(monkeypatch):
    monkeypatch.setattr(collector.core, "place", place)


def test_a_chapter_agrees(capsys):
    result = in_memory("test", 1500, None)
    assert result.mismatches == []
    assert len(result.kinds) >= 14
    assert result.good_beside_bad > 500
    assert len(result.outcome.reasons) >= 10
    assert print_report(result, Result())
    assert "sum of the four" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", Wrong)
def test_a_mistake_is_noticed(wrong, capsys):
    result = in_memory("test", 400, wrong)
    assert result.mismatches
    assert not print_report(result, Result())


def test_a_crash_is_a_mismatch(monkeypatch):
    def crash(*_: object) -> None:
        raise OverflowError("too large")

    monkeypatch.setattr(collector.core, "place", crash)
    (line,) = in_memory("test", 10, None).mismatches
    assert "crashed in test_fuzz.py" in line
    assert "too large" in line


def test_a_seed_always_says_the_same():
    one, two = (list(make_messages("s", 200)) for _ in range(2))
    assert one == two
    assert one != list(make_messages("t", 200))
