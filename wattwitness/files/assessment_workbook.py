"""The assessment of an alert as a workbook: summary, groups, enterprises, caveats."""

import io
from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter  # type: ignore[import-untyped]

from wattwitness.domain.assessment import Assessment, Compliance, PlantLine
from wattwitness.domain.verdicts import VerdictCode
from wattwitness.files.assessment_paper import caveat_sentences, note_counts, paper_of
from wattwitness.files.assessment_words import Tongue
from wattwitness.files.workbooks import FORMULA_MARKS, Value

_WIDEST = 60
_ENTERPRISE = (
    "h_id", "h_name", "h_district", "h_industry", "h_grade", "h_verdict", "h_confidence",
    "h_required", "h_achieved", "h_baseline", "h_used", "h_saved", "h_low", "h_high",
    "h_avoidable", "h_rebound", "h_rebound_usual", "h_before", "h_late", "h_main", "h_why",
    "h_notes",
)  # fmt: skip
_GROUP = (VerdictCode.COMPLIED, VerdictCode.PARTIAL, VerdictCode.VIOLATED,
          VerdictCode.INSUFFICIENT_DATA, VerdictCode.EXEMPT)  # fmt: skip


class _Book:
    """Sheets with a header that stays in view, names guarded against formulas."""

    def __init__(self, it: Assessment) -> None:
        self._packed = io.BytesIO()
        self._book: Any = xlsxwriter.Workbook(self._packed, {"in_memory": True})
        # the same data give the same bytes
        made = it.as_of or it.alert.issued_at
        self._book.set_properties({"created": made.replace(tzinfo=None)})
        self._bold = self._book.add_format({"bold": True})
        self._guarded = self._book.add_format({"quote_prefix": True})

    def add(self, name: str, header: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
        """A sheet."""
        sheet = self._book.add_worksheet(name[:31])
        sheet.freeze_panes(1, 0)
        widths = [len(title) + 2 for title in header]
        for column, title in enumerate(header):
            sheet.write_string(0, column, title, self._bold)
        for row, values in enumerate(rows, 1):
            for column, value in enumerate(values):
                self._write(sheet, row, column, value)
                if isinstance(value, str):
                    widths[column] = max(widths[column], 2 * len(value))
        for column, width in enumerate(widths):
            sheet.set_column(column, column, min(_WIDEST, max(10, width)))

    def _write(self, sheet: Any, row: int, column: int, value: Value) -> None:
        if isinstance(value, str):
            style = self._guarded if value.startswith(FORMULA_MARKS) else None
            sheet.write_string(row, column, value, style)
        elif value is not None:
            sheet.write_number(row, column, float(value))

    def packed(self) -> bytes:
        """The file."""
        self._book.close()
        return self._packed.getvalue()


def _round(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)


def _group_row(group: Compliance, tongue: Tongue) -> list[Value]:
    return [
        group.name or tongue.says("unnamed"),
        group.ordered,
        *(group.counts[code] for code in _GROUP),
        _round(group.decided_share, 4),
        _round(group.complied_share, 4),
    ]


def _line_row(line: PlantLine, tongue: Tongue) -> list[Value]:
    plant, saved, rebound, turn = line.enterprise, line.saved, line.rebound, line.late_turn
    joint = tongue.says("and")
    return [
        plant.enterprise_id,
        plant.name,
        plant.district,
        plant.industry,
        tongue.word("grade", plant.grade.value),
        tongue.word("verdict", line.code.value),
        _round(line.verdict.confidence, 3) if line.verdict else None,
        _round(line.required_cut, 4),
        _round(saved.achieved_cut, 4) if saved else None,
        _round(saved.baseline_kwh) if saved else None,
        _round(saved.used_kwh) if saved else None,
        _round(saved.kwh) if saved else None,
        _round(saved.interval_kwh[0]) if saved else None,
        _round(saved.interval_kwh[1]) if saved else None,
        _round(line.avoidable_kwh) if saved else None,
        _round(rebound.kwh) if rebound else None,
        _round(rebound.usual_kwh) if rebound else None,
        joint.join(line.missed_before) or None,
        tongue.word("verdict", turn.before.value) if turn and turn.before else None,
        tongue.says("yes") if line.only_main_meter else None,
        joint.join(tongue.word("why", why) for why in line.why) or None,
        joint.join(tongue.word("note", note) for note in line.notes) or None,
    ]


def assessment_workbook(it: Assessment, language: str, zone: ZoneInfo) -> bytes:
    """An .xlsx file with five sheets, in `zh` or `en`; times in `zone`."""
    tongue, paper = Tongue(language), paper_of(it, language, zone)
    book = _Book(it)
    book.add(
        tongue.says("s_summary"),
        (tongue.says("h_what"), tongue.says("h_value"), paper.title),
        [
            (paper.title, paper.alert_id, paper.foot),
            *((s.title, s.figure or None, " ".join(s.sentences)) for s in paper.sections),
        ],
    )
    codes = [tongue.word("verdict", code.value) for code in _GROUP]
    shares = [tongue.says("h_decided"), tongue.says("h_complied")]
    for sheet, column, groups in (
        ("s_districts", "h_district", it.districts),
        ("s_industries", "h_industry", it.industries),
    ):
        header = (tongue.says(column), tongue.says("h_ordered"), *codes, *shares)
        book.add(tongue.says(sheet), header, [_group_row(group, tongue) for group in groups])
    book.add(
        tongue.says("s_enterprises"),
        tuple(map(tongue.says, _ENTERPRISE)),
        [_line_row(line, tongue) for line in it.lines],
    )
    known = it.caveats
    rows: list[Sequence[Value]] = [(sentence, None) for sentence in caveat_sentences(it, tongue)]
    rows += [(tongue.word("why", why), n) for why, n in known.undecided.items()]
    rows += note_counts(it.lines, tongue)
    book.add(tongue.says("s_caveats"), (tongue.says("h_what"), tongue.says("h_n")), rows)
    return book.packed()
