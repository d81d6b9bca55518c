"""`wattwitness collect`: take readings from the broker into the database."""

import sys
from typing import Annotated

import typer

from collector.process import collect
from wattwitness.runtime.lifecycle import Lifecycle, run
from wattwitness.runtime.logs import configure_logging
from wattwitness.runtime.settings import Settings, load_settings

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    log_level: Annotated[
        str | None, typer.Option(help="debug, info, warning or error; overrides the setting.")
    ] = None,
) -> None:
    """Take readings from the MQTT broker into the database, and prove their delivery.

    Each message is acknowledged only after its readings are committed. SIGTERM or Ctrl-C commits
    what is in hand and ends with 0. Broker and database are those of WATTWITNESS_MQTT_URL and
    WATTWITNESS_DATABASE_URL, or the embedded ones.
    """

    async def work(lifecycle: Lifecycle) -> None:
        settings = _settings(log_level)
        configure_logging(settings.log_level, "collector")
        await collect(settings, lifecycle)

    sys.exit(run(work))


def _settings(log_level: str | None) -> Settings:
    settings = load_settings()
    return settings if log_level is None else settings.model_copy(update={"log_level": log_level})


if __name__ == "__main__":
    app(prog_name="wattwitness collect")
