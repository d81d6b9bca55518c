"""`wattwitness up`: all processes of one installation."""

from contextlib import AsyncExitStack

import typer

from wattwitness.runtime.lifecycle import Lifecycle, run
from wattwitness.runtime.logs import configure_logging
from wattwitness.runtime.role import only_one
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import load_settings
from wattwitness.runtime.supervisor import Program, Supervisor
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade

app = typer.Typer(help="Run all processes of one installation: collect, analyse, serve.")

PROCESSES = (
    Program(module="collector"),
    Program(module="analytics", arguments=("--follow",)),
    Program(module="analytics", arguments=("--watch",)),
    Program(module="dashboards"),
)


@app.callback(invoke_without_command=True)
def up() -> None:
    """Run the collector, the analytics and the pages until Ctrl-C; what falls is restarted."""
    settings = load_settings()
    configure_logging(settings.log_level, "up")

    async def main(lifecycle: Lifecycle) -> None:
        async with AsyncExitStack() as stack:
            stack.enter_context(only_one(settings.home, "up"))
            found = await stack.enter_async_context(services(settings, database=True, broker=True))
            async with await Database.open(found.dsn, application="up") as db:
                await upgrade(db)
            supervisor = Supervisor(lifecycle)
            for program in PROCESSES:
                supervisor.keep(program)
            typer.echo(f"WattWitness runs; pages on http://{settings.http} - Ctrl-C stops it")
            await lifecycle.stop.wait()
            await lifecycle.finish()

    raise typer.Exit(run(main))
