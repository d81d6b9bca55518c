"""`wattwitness serve`: the web pages and the JSON API."""

from typing import Annotated

import typer

from dashboards import server
from wattwitness.runtime.lifecycle import Lifecycle, run
from wattwitness.runtime.logs import configure_logging
from wattwitness.runtime.settings import load_settings

app = typer.Typer(add_completion=False, help=__doc__)


@app.command()
def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to bind; default from WATTWITNESS_HTTP.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to bind; 0 = any free one.", min=0, max=65_535)
    ] = None,
    *,
    allow_remote: Annotated[
        bool,
        typer.Option("--allow-remote", help="Bind an address that other machines can reach."),
    ] = False,
    host_name: Annotated[
        list[str] | None,
        typer.Option(help="Name under which people reach the pages, as of a proxy; repeatable."),
    ] = None,
) -> None:
    """Serve the web pages (zh and en) and the JSON API, until stopped.

    There are no accounts yet: only this machine can reach the pages, unless --allow-remote says
    that something in front of them asks who is there.
    """

    async def main(lifecycle: Lifecycle) -> None:
        settings = load_settings()
        configure_logging(settings.log_level, "serve")
        configured_host, configured_port = server.address_of(settings.http)
        where = host or configured_host
        server.check_exposure(where, allow_remote=allow_remote)
        listener = server.bind(where, configured_port if port is None else port)
        with listener:
            await server.serve(lifecycle, settings, listener, host_name or ())

    raise typer.Exit(run(main))


if __name__ == "__main__":
    app(prog_name="wattwitness serve")
