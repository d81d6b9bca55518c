"""`wattwitness simulate`: a city of plants that publish their readings, or replayed files."""

import asyncio
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gateway_sim.process import LiveOptions, ReplayOptions, live, replay, write_files
from gateway_sim.times import CityOptions
from wattwitness.domain.errors import InputRefusedError
from wattwitness.runtime.lifecycle import Lifecycle, run
from wattwitness.runtime.logs import configure_logging
from wattwitness.runtime.settings import load_settings

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Connections(StrEnum):
    """How virtual gateways share connections."""

    SHARED = "shared"
    PER_GATEWAY = "per-gateway"


@app.command()
def main(
    files: Annotated[
        list[Path] | None, typer.Argument(help="More files for --replay.", show_default=False)
    ] = None,
    enterprises: Annotated[int | None, typer.Option(help="Number of plants (40).")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed, the same city (7).")] = None,
    scenario: Annotated[
        Path | None, typer.Option(help="TOML file with the city's parameters; options win.")
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0, help="Multiple of real time (1; a replay: 0 = as fast as it is confirmed)."
        ),
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="Start of the history, RFC 3339 (--until - days).")
    ] = None,
    days: Annotated[float | None, typer.Option(help="Length of the history (14).")] = None,
    until: Annotated[str | None, typer.Option(help="End of the history, RFC 3339 (now).")] = None,
    history: Annotated[
        Path | None,
        typer.Option(
            "--history",
            "--write-files",
            help="Write registry, readings and answer key into this folder; then end.",
        ),
    ] = None,
    city: Annotated[
        Path | None,
        typer.Option(help="Go live with the city of a --history folder, where that ends."),
    ] = None,
    live_from: Annotated[
        str | None,
        typer.Option(help="Publish from this instant on; what is past is caught up (--until)."),
    ] = None,
    replay_files: Annotated[
        list[Path] | None,
        typer.Option("--replay", help="Publish these readings files instead of a city."),
    ] = None,
    registry: Annotated[
        Path | None, typer.Option(help="Registry of the replayed files (their folder).")
    ] = None,
    confirm_timeout: Annotated[
        float, typer.Option(min=1, help="A replay gives up after so long without a proof (s).")
    ] = 60.0,
    mqtt_url: Annotated[
        str | None, typer.Option(help="The broker (WATTWITNESS_MQTT_URL, or the embedded one).")
    ] = None,
    outbox: Annotated[
        Path | None, typer.Option(help="Outbox file (simulator/outbox.sqlite in the home folder).")
    ] = None,
    connections: Annotated[
        Connections, typer.Option(help="One connection for all gateways, or one for each.")
    ] = Connections.SHARED,
    exit_after: Annotated[
        float | None, typer.Option(min=0, help="End the live simulation after so long (s).")
    ] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
) -> None:
    """Simulate a city of factories behind meter gateways, or replay readings files.

    Messages stay in an outbox until the collector proves that they are stored. Without --history or
    --replay the city is published live over MQTT until it is stopped.
    """

    async def work(lifecycle: Lifecycle) -> None:
        settings = load_settings()
        configure_logging(log_level or settings.log_level, "simulator")
        wanted = CityOptions(
            enterprises=enterprises,
            seed=seed,
            scenario=scenario,
            from_=from_,
            days=days,
            until=until,
            folder=city,
        )
        if replay_files:
            options = ReplayOptions(
                files=(*replay_files, *(files or ())),
                registry=registry,
                rate=rate or 0.0,
                mqtt_url=mqtt_url,
                outbox=outbox,
                confirm_timeout_s=confirm_timeout,
            )
            await replay(settings, options, lifecycle)
        elif files:
            raise InputRefusedError(f"{files[0]} is not expected", "put --replay before the files")
        elif history is not None:
            await asyncio.to_thread(
                write_files, wanted, history, settings.zone, lifecycle.stop.is_set
            )
        else:
            await live(
                settings,
                wanted,
                LiveOptions(
                    rate=1.0 if rate is None else rate,
                    live_from=live_from,
                    mqtt_url=mqtt_url,
                    outbox=outbox,
                    per_gateway=connections is Connections.PER_GATEWAY,
                    exit_after_s=exit_after,
                ),
                lifecycle,
            )

    sys.exit(run(work))


if __name__ == "__main__":
    app(prog_name="wattwitness simulate")
