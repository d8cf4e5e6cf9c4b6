"""`accord serve`."""

import asyncio
import errno
import socket
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from api.access.credentials.key_lookup import count_real_keys
from api.app import create_app
from api.cli.operating.workers import run_workers
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
    host: Annotated[
        str | None, typer.Option(help="The address to listen on. Other than loopback addresses need credentials.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on; default 8000, 0 takes a free one.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="The number of processes that serve; default 1. Set it to the number of cores.")
    ] = None,
    data: Data = None,
) -> None:
    """Serve GraphQL and GraphiQL until interrupted."""
    settings = Settings.load(host=host, port=port, workers=workers, data_dir=data)
    with (
        closing(listening_socket(settings.host, settings.port)) as listener,
        held_pidfile(settings.data_dir, listener.getsockname()[1]),
    ):
        run_workers(settings.workers, lambda is_first: _run(settings, listener, data, greets=is_first))


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

    def __init__(self, config: uvicorn.Config, greeting: str | None) -> None:
        super().__init__(config)
        self._greeting = greeting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._greeting is not None:
            typer.echo(self._greeting)


def _run(settings: Settings, listener: socket.socket, data: Path | None, *, greets: bool) -> None:
    port = listener.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    with database_connection_url(settings) as address:
        # Here, where an unusable database prints one message; inside the server it would print a traceback.
        keys = asyncio.run(_real_keys(address))
        _require_credentials(settings, keys, data)
        config = uvicorn.Config(
            create_app(settings),
            http=CoalescingProtocol,
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
        greeting = _greeting(f"http://{host}:{port}", settings.database_shown, _callers(settings, keys, data), data)
        _Server(config, greeting if greets else None).run(sockets=[listener])


async def _real_keys(address: str) -> int:
    """Return the number of API keys that work and are no demo keys. Errors: DATABASE_OUTDATED; DATABASE_NEWER."""
    async with Database.open(address, size=1) as database:
        await require_current(database)
        return await count_real_keys(database)


def _require_credentials(settings: Settings, keys: int, data: Path | None) -> None:
    """Check that other machines are served with credentials only, and warn if the way to them is not encrypted."""
    if settings.is_loopback:
        return
    if not keys and settings.oidc is None:
        raise AccordError(
            ErrorCode.NOT_LOOPBACK,
            f"There are no credentials, so Accord does not listen on {settings.host}.",
            f"Create one: {next_command('accord key create NAME', data)}. Or leave out --host, to serve this machine.",
        )
    if not settings.trusted_proxies:
        typer.echo(
            "Warning: Accord itself does not encrypt, so that others on the network can read keys and records.\n"
            "         Put a proxy with TLS in front, and name its address in ACCORD_TRUSTED_PROXIES.",
            err=True,
        )


def _callers(settings: Settings, keys: int, data: Path | None) -> str:
    """Who is served."""
    callers = [] if settings.oidc is None else [f"members who sign in at {settings.oidc.issuer}"]
    if keys:
        callers.append(f"whoever has one of {keys} API keys" if keys > 1 else "whoever has the API key")
    if callers:
        return ", and ".join(callers)
    command = next_command("accord key create NAME", data)
    return f"the local operator: requests of this machine, until there is a credential ({command})"


def _greeting(address: str, database: str, callers: str, data: Path | None) -> str:
    return "\n".join(
        (
            f"Accord listens on {address}",
            f"  GraphiQL  {address}/graphql   in a browser",
            f"  GraphQL   {address}/graphql   for programs",
            f"  Accord    {address}/accord    in a browser: read, preview and sign what both teams agree on",
            f"  Serves    {callers}",
            f"  Database  {database}",
            "Three questions to start with (as tabs in GraphiQL, or in another terminal):",
            *(f"  {question}\n      {next_command(command, data)}" for question, command in EXAMPLES),
            "Ctrl-C stops it.",
        )
    )
