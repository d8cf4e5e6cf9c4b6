"""`accord serve` and `accord stop`."""

import errno
import socket
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import Data, next_command
from api.errors import AccordError, ErrorCode

if TYPE_CHECKING:
    from api.settings import Settings

QUESTIONS = (
    ("How many people reach each stage, and what share goes on?", "accord funnel"),
    (
        "What share of the marketing qualified leads became customers, by source?",
        "accord kpi mql_to_customer --by lead-source",
    ),
    ("How many deals were won, month by month?", "accord kpi deals_won --grain month"),
)


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("serve")(serve)
    app.command("stop")(stop)


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on; only this machine's own for now.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on (8000; 0 takes a free one).")] = None,
    data: Data = None,
) -> None:
    """Serve GraphQL and GraphiQL on this machine until interrupted."""
    from api.settings import Settings

    settings = Settings.load(host=host, port=port, data_dir=data)
    if not settings.is_loopback:
        raise AccordError(
            ErrorCode.NOT_LOOPBACK,
            f"No credentials are configured, so Accord does not listen on {settings.host}.",
            "Leave --host away (127.0.0.1); for others, put a proxy in front that asks who is there.",
        )
    with closing(listening_socket(settings.host, settings.port)) as listener:
        _run(settings, listener, data)


def stop(data: Data = None) -> None:
    """End what runs on a data folder: servers left behind and the private PostgreSQL."""
    from api.cli.pidfile import stop_all
    from api.embedded import stop as stop_postgresql
    from api.settings import Settings

    settings = Settings.load(data_dir=data)
    ended = [f"server (process {pid})" for pid in stop_all(settings.data_dir)]
    if stop_postgresql(settings.data_dir):
        ended.append("private PostgreSQL")
    typer.echo(f"Stopped: {', '.join(ended)}." if ended else f"Nothing runs on {settings.data_dir}.")


def listening_socket(host: str, port: int) -> socket.socket:
    """Take the port before anything is started, so that a taken one costs nothing."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise AccordError(ErrorCode.PORT_IN_USE, *_why_not(host, port, error)) from error
    return listener


def _why_not(host: str, port: int, error: OSError) -> tuple[str, str]:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use by another program.",
            f"If it is an Accord left behind, `accord stop` ends it; else take another: accord serve --port {port + 1}",
        )
    return f"Accord cannot listen on {host}:{port}: {error.strerror}.", "Take another one with --host and --port."


def _run(settings: "Settings", listener: socket.socket, data: Path | None) -> None:
    import asyncio

    import uvicorn

    from api.app import create_app
    from api.cli.pidfile import announced
    from api.embedded import database_address
    from api.web.http_protocol import Together

    port = listener.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host

    class Greeting(uvicorn.Server):
        """Says where it is once it answers."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                _greet(f"http://{host}:{port}", settings.database_shown, data)

    with announced(settings.data_dir, port), database_address(settings) as address:
        # Tried here, where a database that cannot be used is one message; inside the server it would be a trace.
        asyncio.run(_try_database(address))
        config = uvicorn.Config(
            create_app(settings),
            http=Together,
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
        Greeting(config).run(sockets=[listener])


async def _try_database(address: str) -> None:
    from api.db import Database
    from api.revisions import require_current

    async with Database.open(address, size=1) as database:
        await require_current(database)


def _greet(address: str, database: str, data: Path | None) -> None:
    typer.echo(f"Accord answers on {address} (this machine only: no credentials are configured)")
    typer.echo(f"  GraphiQL  {address}/graphql   in a browser")
    typer.echo(f"  GraphQL   {address}/graphql   for programs")
    typer.echo(f"  Database  {database}")
    typer.echo("Three questions to begin with (as tabs in GraphiQL, or in another terminal):")
    for question, command in QUESTIONS:
        typer.echo(f"  {question}\n      {next_command(command, data)}")
    typer.echo("Ctrl-C ends it.")
