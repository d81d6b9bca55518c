"""Registry files (contract §3): a folder of CSV files, one of them, or one .xlsx with such sheets.

Only the files that are there are read; rows that cannot be used are refused singly. Columns that a
file does not have keep what the store has; cells that are empty get the column's default.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from wattwitness.domain.alerts import ordered
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.registry import Alert, AlertChange, Registry
from wattwitness.domain.rejects import RejectCode
from wattwitness.files.registry_references import Draft, refuse_unfounded
from wattwitness.files.registry_sheets import SHEET_KINDS, AlertChangeRow, Column, SheetKind
from wattwitness.files.rejected_rows import RowReject
from wattwitness.files.sheets import Row, Sheet, read_csv_sheet, read_workbook

_WORKBOOKS: Final = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
_KNOWN: Final = ", ".join(f"{noun}.csv" for noun in SHEET_KINDS)
UNUSABLE: Final = "unusable"
"""Code of a registry row that cannot be used."""


@dataclass(slots=True, kw_only=True)
class SheetReport:
    """What became of one file or sheet."""

    noun: str
    source: str
    rows_read: int = 0
    unknown_columns: tuple[str, ...] = ()
    rejects: list[RowReject] = field(default_factory=list)
    error: str = ""  # why nothing of it could be used; empty = it could


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryFiles:
    """What was read: only the good rows, and a report per file."""

    registry: Registry
    reports: tuple[SheetReport, ...]
    left_alone: tuple[str, ...]  # files or sheets that are none of ours


def read_registry(path: Path, known: Registry) -> RegistryFiles:
    """Read registry files, judged against what the store already knows.

    Raises:
        InputRefusedError: there is no registry file at all.
    """
    openers, left_alone = _find(path)
    drafts: dict[str, list[Draft]] = {}
    reports: dict[str, SheetReport] = {}
    for noun, kind in SHEET_KINDS.items():
        if noun not in openers:
            continue
        reports[noun] = report = SheetReport(noun=noun, source=openers[noun][0])
        try:
            sheet = openers[noun][1]()
            drafts[noun] = _drafts(kind, sheet, known, report)
        except InputRefusedError as refusal:
            report.error = str(refusal)
    for noun, draft, (column, reason) in refuse_unfounded(known, drafts):
        value = draft.cells.get(column, "")
        reject = _reject(reports[noun].source, draft.row, column, reason, value=value)
        reports[noun].rejects.append(reject)
    for report in reports.values():
        report.rejects.sort(key=lambda reject: reject.row)
    return RegistryFiles(
        registry=_registry(drafts, known), reports=tuple(reports.values()), left_alone=left_alone
    )


_Openers = Mapping[str, tuple[str, Callable[[], Sheet]]]


def _find(path: Path) -> tuple[_Openers, tuple[str, ...]]:
    """Noun → (name, how to read it), and the names of what is not ours."""
    if path.is_dir():
        files = sorted(p for p in path.iterdir() if p.name.endswith((".csv", ".csv.gz")))
        stems = {p: p.name.partition(".")[0] for p in files}
        nouns = {stem: p for p, stem in stems.items() if stem in SHEET_KINDS}
        left = tuple(p.name for p in files if p not in nouns.values())
        if not nouns:
            raise InputRefusedError(f"{path} has none of the registry files", f"expected {_KNOWN}")
        return {noun: (p.name, partial(read_csv_sheet, p)) for noun, p in nouns.items()}, left
    if not path.exists():
        raise InputRefusedError(f"{path} does not exist", "give a folder of CSV files or an .xlsx")
    if path.suffix.lower() in _WORKBOOKS:
        sheets = read_workbook(path)
        ours: _Openers = {
            noun: (sheets[noun].source, partial(sheets.__getitem__, noun))
            for noun in SHEET_KINDS
            if noun in sheets
        }
        if not ours:
            expected = ", ".join(SHEET_KINDS)
            found = ", ".join(sheets) or "nothing"
            raise InputRefusedError(
                f"{path.name} has none of the registry sheets (found {found})",
                f"name them {expected}",
            )
        return ours, tuple(name for name in sheets if name not in SHEET_KINDS)
    noun = path.name.partition(".")[0]
    if noun not in SHEET_KINDS:
        raise InputRefusedError(f"{path.name} is not a registry file", f"expected one of {_KNOWN}")
    return {noun: (path.name, partial(read_csv_sheet, path))}, ()


def _drafts(kind: SheetKind, sheet: Sheet, known: Registry, report: SheetReport) -> list[Draft]:
    """Rows that are good by themselves; the others go into the report.

    Raises:
        InputRefusedError: a required column is missing.
    """
    names = {column.name for column in kind.columns}
    report.unknown_columns = tuple(n for n in sheet.header if n and n not in names)
    missing = [c.name for c in kind.columns if c.required and c.name not in sheet.header]
    if missing:
        found = ", ".join(name for name in sheet.header if name)
        raise InputRefusedError(
            f"{sheet.source} has no column {' and no column '.join(missing)}",
            f"add it; found: {found[:200]}",
        )
    report.rows_read = len(sheet.rows) + len(sheet.malformed)
    for number, text in sheet.malformed.items():
        reason = "the row has more cells than the header - check commas and quotes"
        report.rejects.append(
            _reject(sheet.source, number, "", reason, code=RejectCode.MALFORMED, value=text[:500])
        )
    first_rows: dict[object, int] = {}
    drafts: list[Draft] = []
    for row in sheet.rows:
        value = _value(kind, sheet, row, known)
        if isinstance(value, RowReject):
            report.rejects.append(value)
            continue
        first = first_rows.setdefault(kind.key_of(value), row.number)
        if first != row.number:
            key = ", ".join(name.rstrip("_") for name in kind.key)
            reason = f"the same {key} as in row {first} - keep one of the two"
            column = kind.columns[0].name
            report.rejects.append(
                _reject(sheet.source, row.number, column, reason, value=row.cells[column])
            )
            continue
        drafts.append(Draft(row.number, value, row.cells))
    return drafts


def _value(kind: SheetKind, sheet: Sheet, row: Row, known: Registry) -> Any:
    """A row's value, or the reject that says why it has none."""
    fields: dict[str, Any] = {}
    for column in kind.columns:
        text = row.cells.get(column.name, "")
        complaint = _cell(column, text, sheet.spoilt.get((row.number, column.name)), fields)
        if complaint:
            return _reject(sheet.source, row.number, column.name, complaint, value=text)
    earlier = _stored(kind, fields, known)
    if earlier is not None:
        for column in kind.columns:
            if column.name not in sheet.header:
                fields[column.target] = getattr(earlier, column.target)
    value = kind.value(**fields)
    complaint_of_row = kind.complaint(value)
    if complaint_of_row:
        name, reason = complaint_of_row
        return _reject(sheet.source, row.number, name, reason, value=row.cells.get(name, ""))
    return value


def _cell(column: Column, text: str, spoilt: str | None, fields: dict[str, Any]) -> str:
    """Parse one cell into `fields`; returns what is wrong with it, or nothing."""
    if not text:
        return f"{column.name} is empty" if column.required else ""
    if spoilt:
        return spoilt
    try:
        fields[column.target] = column.parse(text)
    except InputRefusedError as refusal:
        return str(refusal)
    except OverflowError:
        return f"{text!r} is beyond the calendar"
    return ""


def _stored(kind: SheetKind, fields: Mapping[str, Any], known: Registry) -> Any:
    """What the store has under this row's id; None for new rows and for files without ids."""
    stored = getattr(known, kind.noun, None)
    return stored.get(fields[kind.key[0]]) if isinstance(stored, Mapping) else None


def _registry(drafts: Mapping[str, Iterable[Draft]], known: Registry) -> Registry:
    values = {noun: [draft.value for draft in found] for noun, found in drafts.items()}

    def keyed(noun: str) -> dict[str, Any]:
        key = SHEET_KINDS[noun].key[0]
        return {getattr(value, key): value for value in values.get(noun, ())}

    return Registry(
        enterprises=keyed("enterprises"),
        gateways=keyed("gateways"),
        circuits=keyed("circuits"),
        pairings=keyed("pairings"),
        measures=tuple(values.get("measures", ())),
        alerts=_changed(keyed("alerts"), values.get("alert_changes", ()), known),
        declarations=tuple(values.get("declarations", ())),
        inspections=tuple(values.get("inspections", ())),
    )


def _changed(
    alerts: dict[str, Alert], rows: Iterable[AlertChangeRow], known: Registry
) -> dict[str, Alert]:
    """These alerts with their changes of this import; the store keeps those that it has."""
    found = {alert_id: replace(alert, changes=()) for alert_id, alert in alerts.items()}
    changes: dict[str, dict[datetime, AlertChange]] = {}
    for row in rows:
        changes.setdefault(row.alert_id, {})[row.issued_at] = row.change
    for alert_id, own in changes.items():
        alert = found.get(alert_id) or known.alerts[alert_id]
        found[alert_id] = replace(alert, changes=ordered(own))
    return found


def _reject(
    source: str, row: int, column: str, reason: str, *, code: str = UNUSABLE, value: str = ""
) -> RowReject:
    return RowReject(file=source, row=row, column=column, code=code, reason=reason, value=value)
