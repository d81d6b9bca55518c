"""`wattwitness simulate`: a city of plants that publish their readings, or replayed files."""

import asyncio
import math
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gateway_sim.process import LiveOptions, ReplayOptions, live, replay, write_files
from gateway_sim.times import CityOptions, check_options
from wattwitness.domain.errors import InputRefusedError
from wattwitness.runtime.lifecycle import Lifecycle, run
from wattwitness.runtime.logs import configure_logging
from wattwitness.runtime.options import instant_option
from wattwitness.runtime.settings import load_settings
from wattwitness.wire.broker_address import BrokerAddress

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


class Connections(StrEnum):
    """How virtual gateways share connections."""

    SHARED = "shared"
    PER_GATEWAY = "per-gateway"


class LogLevel(StrEnum):
    """How much is told."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _finite(number: float | None) -> float | None:
    if number is not None and not math.isfinite(number):
        raise typer.BadParameter("it has to be a finite number")
    return number


def _broker(url: str | None) -> str | None:
    if url is not None:
        try:
            BrokerAddress.parse(url)
        except InputRefusedError as refusal:
            raise typer.BadParameter(str(refusal)) from None
    return url


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
            min=0,
            callback=_finite,
            help="Multiple of real time (1; a replay: 0 = as fast as it is confirmed).",
        ),
    ] = None,
    from_: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            metavar="TS",
            parser=instant_option,
            help="Start of the history, RFC 3339 (--until - days).",
        ),
    ] = None,
    days: Annotated[
        float | None, typer.Option(callback=_finite, help="Length of the history (14).")
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            metavar="TS", parser=instant_option, help="End of the history, RFC 3339 (now)."
        ),
    ] = None,
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
        datetime | None,
        typer.Option(
            metavar="TS",
            parser=instant_option,
            help="Publish from this instant on; what is past is caught up (--until).",
        ),
    ] = None,
    replay_files: Annotated[
        list[Path] | None,
        typer.Option("--replay", help="Publish these readings files instead of a city."),
    ] = None,
    registry: Annotated[
        Path | None, typer.Option(help="Registry of the replayed files (their folder).")
    ] = None,
    confirm_timeout: Annotated[
        float,
        typer.Option(
            min=1, callback=_finite, help="A replay gives up after so long without a proof (s)."
        ),
    ] = 60.0,
    mqtt_url: Annotated[
        str | None,
        typer.Option(
            callback=_broker, help="The broker (WATTWITNESS_MQTT_URL, or the embedded one)."
        ),
    ] = None,
    outbox: Annotated[
        Path | None, typer.Option(help="Outbox file (simulator/outbox.sqlite in the home folder).")
    ] = None,
    connections: Annotated[
        Connections, typer.Option(help="One connection for all gateways, or one for each.")
    ] = Connections.SHARED,
    exit_after: Annotated[
        float | None,
        typer.Option(min=0, callback=_finite, help="End the live simulation after so long (s)."),
    ] = None,
    log_level: Annotated[LogLevel | None, typer.Option(help="How much is told.")] = None,
) -> None:
    """Simulate a city of factories behind meter gateways, or replay readings files.

    Messages stay in an outbox until the collector proves that they are stored. Without --history or
    --replay the city is published live over MQTT until it is stopped.
    """
    wanted = CityOptions(
        enterprises=enterprises,
        seed=seed,
        scenario=scenario,
        from_=from_,
        days=days,
        until=until,
        folder=city,
    )
    if files and not replay_files:
        raise typer.BadParameter(f"{files[0]} is not expected - put --replay before the files")
    if rate == 0 and not replay_files and history is None:
        raise typer.BadParameter("a live city needs a --rate above 0; 1 = real time")
    try:
        check_options(wanted, datetime.now(UTC), live_from)
    except InputRefusedError as refusal:
        raise typer.BadParameter(str(refusal)) from None
    live_options = LiveOptions(
        rate=1.0 if rate is None else rate,
        live_from=live_from,
        mqtt_url=mqtt_url,
        outbox=outbox,
        per_gateway=connections is Connections.PER_GATEWAY,
        exit_after_s=exit_after,
    )
    replayed = ReplayOptions(
        files=(*(replay_files or ()), *(files or ())),
        registry=registry,
        rate=rate or 0.0,
        mqtt_url=mqtt_url,
        outbox=outbox,
        confirm_timeout_s=confirm_timeout,
    )

    async def work(lifecycle: Lifecycle) -> None:
        settings = load_settings()
        configure_logging(log_level or settings.log_level, "simulator")
        if replay_files:
            await replay(settings, replayed, lifecycle)
        elif history is not None:
            stopped = lifecycle.stop.is_set
            await asyncio.to_thread(write_files, wanted, history, settings.zone, stopped)
        else:
            await live(settings, wanted, live_options, lifecycle)

    sys.exit(run(work))


if __name__ == "__main__":
    app(prog_name="wattwitness simulate")
