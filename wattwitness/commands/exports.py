"""`wattwitness export`: findings and readings to files."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.instants import from_us, local_day, to_us
from wattwitness.domain.registry import Registry
from wattwitness.files.outputs import Format, check_target, format_for, open_output
from wattwitness.files.readings_export import export_readings
from wattwitness.files.record_files import write_records
from wattwitness.files.records import (
    Record,
    episode_record,
    lead_record,
    quality_record,
    state_record,
    testability_record,
    verdict_record,
)
from wattwitness.runtime.lifecycle import run_command
from wattwitness.runtime.options import instant_option
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import Settings, load_settings
from wattwitness.store.database import Database
from wattwitness.store.findings import (
    list_episodes,
    list_leads,
    list_quality,
    list_states,
    list_testability,
)
from wattwitness.store.readings import stream_readings
from wattwitness.store.registry import load_registry
from wattwitness.store.verdicts import list_verdicts

app = typer.Typer(no_args_is_help=True, help="Write findings and readings to files.")

_FIRST_US: Final = 0
_LAST_US: Final = 253_370_764_800_000_000  # 9999-01-01: later than any reading that is taken in

_KINDS: Final = {
    "leads": "Leads, the best first.",
    "episodes": "Episodes with their evidence.",
    "verdicts": "Verdicts on alerts: one per alert and enterprise.",
    "states": "When each circuit was off, in standby, or running.",
    "quality": "Data quality per circuit and local day.",
    "testability": "What the meters of each enterprise can show, and what not.",
    "readings": "Readings; the file can be imported again.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What to export; None = no limit."""

    from_us: int | None
    to_us: int | None
    enterprise_ids: tuple[str, ...] | None
    settings: Settings

    @property
    def span_us(self) -> tuple[int, int]:
        """[from, to) with both ends."""
        start = _FIRST_US if self.from_us is None else self.from_us
        return start, _LAST_US if self.to_us is None else self.to_us

    @property
    def days(self) -> tuple[date | None, date | None]:
        """First and last local day that overlap."""
        zone = self.settings.zone
        end = None if self.to_us is None else from_us(self.to_us) - timedelta(microseconds=1)
        first = None if self.from_us is None else local_day(from_us(self.from_us), zone)
        return first, None if end is None else local_day(end, zone)

    def circuit_ids(self, registry: Registry) -> list[str] | None:
        """The circuits of the chosen enterprises; None = all."""
        if self.enterprise_ids is None:
            return None
        chosen = (registry.circuits_of(e) for e in self.enterprise_ids)
        return [circuit.circuit_id for circuits in chosen for circuit in circuits]


_FormatOption = Annotated[
    Format | None,
    typer.Option("--format", help="Default: by the ending of the file after -o, else json."),
]
_FromOption = Annotated[
    datetime | None,
    typer.Option(
        "--from", metavar="TS", parser=instant_option, help="RFC 3339 with offset; included."
    ),
]
_ToOption = Annotated[
    datetime | None,
    typer.Option(
        "--to", metavar="TS", parser=instant_option, help="RFC 3339 with offset; excluded."
    ),
]
_EnterpriseOption = Annotated[
    list[str] | None,
    typer.Option("--enterprise", metavar="ID", help="Only this enterprise; repeat for more."),
]
_OutputOption = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="Default: standard output.")
]


def _register(kind: str, line: str) -> None:
    def command(
        file_format: _FormatOption = None,
        from_: _FromOption = None,
        to: _ToOption = None,
        enterprise: _EnterpriseOption = None,
        output: _OutputOption = None,
    ) -> None:
        if from_ is not None and to is not None and to <= from_:
            raise typer.BadParameter("--to is not after --from")
        selection = Selection(
            from_us=None if from_ is None else to_us(from_),
            to_us=None if to is None else to_us(to),
            enterprise_ids=tuple(enterprise) if enterprise else None,
            settings=load_settings(),
        )
        try:
            chosen = format_for(output, file_format)
        except InputRefusedError as refusal:
            raise typer.BadParameter(str(refusal)) from None
        _run(kind, selection, chosen, output)

    app.command(kind, help=line)(command)


for _kind, _line in _KINDS.items():
    _register(_kind, _line)


def _run(kind: str, selection: Selection, file_format: Format, output: Path | None) -> None:
    check_target(output)
    try:
        count = run_command(_export(kind, selection, file_format, output))
    except BrokenPipeError:  # the reader has seen enough, as head does
        raise typer.Exit(1) from None
    if output is not None:
        typer.echo(f"{output}: {count} {kind}")


async def _export(kind: str, selection: Selection, file_format: Format, output: Path | None) -> int:
    settings = selection.settings
    async with (
        services(settings, database=True) as found,
        await Database.open(found.dsn, application="export", zone=settings.zone) as db,
    ):
        registry = await load_registry(db)
        for enterprise_id in selection.enterprise_ids or ():
            if enterprise_id not in registry.enterprises:
                raise InputRefusedError(
                    f"there is no enterprise {enterprise_id!r}", "check the id after --enterprise"
                )
        if kind == "readings":
            return await _export_readings(db, registry, selection, file_format, output)
        records = await _RECORDS[kind](db, registry, selection)
        with open_output(output) as stream:
            write_records(stream, kind, records, file_format)
        return len(records)


async def _export_readings(
    db: Database,
    registry: Registry,
    selection: Selection,
    file_format: Format,
    output: Path | None,
) -> int:
    chosen = selection.circuit_ids(registry)
    names = sorted(registry.circuits) if chosen is None else chosen
    keys = {registry.circuit_keys[name]: name for name in names}
    with open_output(output) as stream:
        blocks = stream_readings(db, list(keys), *selection.span_us)
        return await export_readings(stream, blocks, keys, file_format)


async def _leads(db: Database, _: Registry, it: Selection) -> list[Record]:
    found = await list_leads(db, it.from_us, it.to_us, it.enterprise_ids)
    return [lead_record(lead) for lead in found]


async def _episodes(db: Database, _: Registry, it: Selection) -> list[Record]:
    found = await list_episodes(db, it.from_us, it.to_us, it.enterprise_ids)
    return [episode_record(episode) for episode in found]


async def _states(db: Database, registry: Registry, it: Selection) -> list[Record]:
    found = await list_states(db, it.circuit_ids(registry), *it.span_us)
    return [state_record(spell) for spell in found]


async def _quality(db: Database, registry: Registry, it: Selection) -> list[Record]:
    found = await list_quality(db, it.circuit_ids(registry), *it.days)
    return [quality_record(day) for day in found]


async def _testability(db: Database, _: Registry, it: Selection) -> list[Record]:
    found = await list_testability(db, it.enterprise_ids)
    return [testability_record(item) for item in found]


async def _verdicts(db: Database, _: Registry, it: Selection) -> list[Record]:
    found = await list_verdicts(db, None, it.enterprise_ids, it.from_us, it.to_us)
    return [verdict_record(verdict) for verdict in found]


_Fetch = Callable[[Database, Registry, Selection], Awaitable[Sequence[Record]]]
_RECORDS: Final[dict[str, _Fetch]] = {
    "leads": _leads,
    "episodes": _episodes,
    "states": _states,
    "quality": _quality,
    "testability": _testability,
    "verdicts": _verdicts,
}
