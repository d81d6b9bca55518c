"""The `wattwitness` program: one place for all commands.

The processes (collect, serve, simulate, analyse) are started as processes, by module name, and
none of them is imported here; the rest are commands of this package, loaded when they are called.
"""

import importlib
import os
import sys
from collections.abc import Mapping, Sequence

import typer

from wattwitness import __version__
from wattwitness.domain.errors import WattWitnessError

PROCESSES: Mapping[str, tuple[str, str]] = {
    "collect": ("collector", "Take readings from the broker into the database."),
    "serve": ("dashboards", "Serve the web pages and the API."),
    "simulate": ("gateway_sim", "Pretend to be the field: simulated gateways, or a replayed file."),
    "analyse": ("analytics", "Turn readings into states, episodes and leads."),
}
COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("wattwitness.commands.demo", "Everything, with a small simulated city, for a look."),
    "up": ("wattwitness.commands.up", "All processes of one installation, without simulator."),
    "db": ("wattwitness.commands.db", "Upgrade the database, look at it, print its address."),
    "import": ("wattwitness.commands.imports", "Read registry and readings files."),
    "export": ("wattwitness.commands.exports", "Write findings and readings to files."),
    "rejects": ("wattwitness.commands.rejects", "What was refused: list it, judge it again."),
    "decide": ("wattwitness.commands.decide", "Confirm or dismiss a lead, with a reason."),
    "alert": ("wattwitness.commands.alert", "Declare, change and lift alerts; check the plans."),
    "doctor": ("wattwitness.commands.doctor", "Check the installation; each finding has a remedy."),
}
# sub-commands that are processes, too: they need the gate through which fresh messages come
PROCESS_COMMANDS: Mapping[str, str] = {"rejects retry": "collector.retry"}


def build(wanted: str | None) -> typer.Typer:
    """The program with the wanted command loaded, or with all of them where there is none."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help="Reads from the electricity of factories whether pollution treatment really runs "
        "and whether an ordered production cut really happens.",
    )
    app.callback()(_root)
    for name, (module, line) in COMMANDS.items():
        if wanted == name or wanted not in COMMANDS:
            app.add_typer(importlib.import_module(module).app, name=name, short_help=line)
    for name, (_, line) in PROCESSES.items():
        app.command(name, help=line)(_listed)
    return app


def _listed() -> None:
    """Stand in for a process in the list of commands; `main` has started it before this."""


def _version(asked: bool) -> None:  # noqa: FBT001 - the shape of a typer callback
    if asked:
        typer.echo(f"wattwitness {__version__}")
        raise typer.Exit


def _root(
    *,
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    del version


def _become(module: str, arguments: Sequence[str]) -> None:
    """Become that process, so that signals and exit codes need no forwarding."""
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program; a failure is one line on stderr and exit code 1."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    wanted = given[0] if given else None
    if wanted is not None and wanted in PROCESSES:
        _become(PROCESSES[wanted][0], given[1:])
    if (module := PROCESS_COMMANDS.get(" ".join(given[:2]))) is not None:
        _become(module, given[2:])
    try:
        build(wanted)(given, prog_name="wattwitness")
    except WattWitnessError as error:
        typer.echo(f"wattwitness: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("wattwitness: stopped - repeat the command", err=True)
        sys.exit(1)
