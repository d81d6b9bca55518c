"""Registry files into the store: good rows are saved, the others told by row and reason."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wattwitness.files.registry_files import SheetReport, read_registry
from wattwitness.files.rejected_rows import RejectLog, RowReject
from wattwitness.store.database import Database
from wattwitness.store.registry import SaveCount, load_registry, save_registry


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryReport:
    """What became of one registry file; every row read is in exactly one of the counts."""

    file: str
    rows_read: int
    stored: int  # new or changed
    already_there: int
    rejected: int
    first_rejects: list[RowReject] = field(default_factory=list)
    rejected_path: Path | None = None
    unknown_columns: tuple[str, ...] = ()
    error: str = ""  # why nothing of the file could be used; empty = it could


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryImport:
    """What became of a registry."""

    files: tuple[RegistryReport, ...]
    left_alone: tuple[str, ...]  # files or sheets that are none of ours


async def import_registry(
    db: Database, path: Path, *, reject_folders: Sequence[Path], actor: str = "import"
) -> RegistryImport:
    """Import a folder, a file or a workbook; importing again changes nothing.

    Raises:
        InputRefusedError: there is no registry file at all.
        StoreUnavailableError: nothing was saved.
        SetupError: the list of rejects cannot be written; the good rows are saved.
    """
    found = read_registry(path, await load_registry(db))
    counts = await save_registry(
        db, found.registry, actor=actor, reason=f"imported from {path.name}"
    )
    nothing = SaveCount(read=0, stored=0)
    folder = path if path.is_dir() else path.parent
    reports = tuple(
        _report(r, counts.get(r.noun, nothing), folder, reject_folders) for r in found.reports
    )
    return RegistryImport(files=reports, left_alone=found.left_alone)


def _report(
    report: SheetReport, count: SaveCount, folder: Path, reject_folders: Sequence[Path]
) -> RegistryReport:
    name = report.source.replace("[", ".").replace("]", "")  # a workbook's sheet
    with RejectLog(name, reject_folders, str(folder / report.source)) as log:
        log.add(report.rejects)
    return RegistryReport(
        file=report.source,
        rows_read=report.rows_read,
        stored=count.stored,
        already_there=count.unchanged,
        rejected=log.count,
        first_rejects=log.first,
        rejected_path=log.path,
        unknown_columns=report.unknown_columns,
        error=report.error,
    )
