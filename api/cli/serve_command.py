"""`accord serve`."""

import asyncio
import errno
import socket
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from api.app import create_app
from api.cli.options import Data, next_command
from api.cli.pidfile import held_pidfile
from api.db import Database
from api.embedded import database_connection_url
from api.errors import AccordError, ErrorCode
from api.revisions import require_current
from api.settings import Settings
from api.web.http_protocol import CoalescingProtocol

EXAMPLES = (
    ("How many people reach each stage, and what share goes on?", "accord funnel"),
    (
        "What share of the marketing qualified leads became customers, by source?",
        "accord kpi mql_to_customer --by lead-source",
    ),
    ("How many deals were won, month by month?", "accord kpi deals_won --grain month"),
)


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on; it must be a loopback address.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on; default 8000, 0 takes a free one.")] = None,
    data: Data = None,
) -> None:
    """Serve GraphQL and GraphiQL on this machine until interrupted."""
    settings = Settings.load(host=host, port=port, data_dir=data)
    if not settings.is_loopback:
        raise AccordError(
            ErrorCode.NOT_LOOPBACK,
            f"No credentials are configured, so Accord does not listen on {settings.host}.",
            "Leave out --host (127.0.0.1). To serve other machines, put a proxy in front that authenticates users.",
        )
    with closing(listening_socket(settings.host, settings.port)) as listener:
        _run(settings, listener, data)


def listening_socket(host: str, port: int) -> socket.socket:
    """Bind the port before anything is started, so that a port in use costs nothing."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from error
    return listener


def _cannot_listen(host: str, port: int, error: OSError) -> AccordError:
    if error.errno == errno.EADDRINUSE:
        return AccordError(
            ErrorCode.PORT_IN_USE,
            f"Port {port} on {host} is in use by another program.",
            f"If it is an Accord left behind, stop it with `accord stop`. Or use another port: --port {port + 1}",
        )
    message = f"Accord cannot listen on {host}:{port}: {error.strerror}."
    return AccordError(ErrorCode.PORT_IN_USE, message, "Use another address with --host and --port.")


class _Server(uvicorn.Server):
    """A server that prints a greeting once it accepts connections."""

    def __init__(self, config: uvicorn.Config, greeting: str) -> None:
        super().__init__(config)
        self._greeting = greeting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            typer.echo(self._greeting)


def _run(settings: Settings, listener: socket.socket, data: Path | None) -> None:
    port = listener.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    with held_pidfile(settings.data_dir, port), database_connection_url(settings) as address:
        # DriftCheck here, where an unusable database prints one message; inside the server it would print a traceback.
        asyncio.run(_check_database(address))
        config = uvicorn.Config(
            create_app(settings),
            http=CoalescingProtocol,
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
        greeting = _greeting(f"http://{host}:{port}", settings.database_shown, data)
        _Server(config, greeting).run(sockets=[listener])


async def _check_database(address: str) -> None:
    async with Database.open(address, size=1) as database:
        await require_current(database)


def _greeting(address: str, database: str, data: Path | None) -> str:
    return "\n".join(
        (
            f"Accord listens on {address} (this machine only: no credentials are configured)",
            f"  GraphiQL  {address}/graphql   in a browser",
            f"  GraphQL   {address}/graphql   for programs",
            f"  Database  {database}",
            "Three questions to start with (as tabs in GraphiQL, or in another terminal):",
            *(f"  {question}\n      {next_command(command, data)}" for question, command in EXAMPLES),
            "Ctrl-C stops it.",
        )
    )
