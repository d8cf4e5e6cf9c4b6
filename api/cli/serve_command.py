"""`accord serve`."""

import asyncio
import socket
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from api.access.credentials.key_lookup import count_real_keys
from api.app import create_app
from api.cli.jobs.metrics_listener import metrics_listener
from api.cli.operating.workers import run_workers
from api.cli.options import Data, next_command
from api.cli.pidfile import held_pidfile
from api.cli.serving import AFTER_GRACE_SECONDS
from api.cli.serving.garbage import exempt_existing_objects
from api.cli.serving.listening import allow_many_connections, open_listener
from api.cli.serving.stopping import StoppingServer, last_resort
from api.db import Database
from api.embedded import database_connection_url
from api.errors import AccordError, ErrorCode
from api.revisions import require_compatible
from api.settings import Settings
from api.telemetry.log_lines import configure_logging
from api.telemetry.worker_metrics import SharedMetrics, WorkerMetrics
from api.web.health import Health
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
    reuse_port: Annotated[
        bool | None,
        typer.Option(
            "--reuse-port", help="Share the port with other servers, so that a new one can start before the old stops."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="The number of processes that serve; default 1. Set it to the number of cores.")
    ] = None,
    data: Data = None,
) -> None:
    """Serve GraphQL and GraphiQL until interrupted."""
    settings = Settings.load(host=host, port=port, reuse_port=reuse_port, workers=workers, data_dir=data)
    configure_logging(settings.log_format, settings.log_level)
    allow_many_connections()
    with closing(open_listener(settings)) as listener, metrics_listener(settings) as metrics:
        # A supervisor may pass a socket of another address, which decides who needs credentials.
        host, port = listener.getsockname()[:2]
        bound = settings.model_copy(update={"host": host, "port": port})
        with held_pidfile(bound):
            listeners = _Listeners(listener, metrics)
            shared = SharedMetrics(settings.workers) if settings.workers > 1 else None
            run_workers(
                settings.workers,
                lambda worker: _run(bound, listeners, data, worker, WorkerMetrics(shared, worker) if shared else None),
                stop_seconds=settings.stop_seconds + AFTER_GRACE_SECONDS + 1,
                on_stopping=listeners.close,
            )


@dataclass(frozen=True)
class _Listeners:
    """The sockets of the server and, if they have an address of their own, of the metrics."""

    server: socket.socket
    metrics: socket.socket | None

    def close(self) -> None:
        """Close both in this process."""
        self.server.close()
        if self.metrics is not None:
            self.metrics.close()


def _run(
    settings: Settings,
    listeners: _Listeners,
    data: Path | None,
    worker: int,
    metrics: WorkerMetrics | None,
) -> None:
    """Serve in this process. The first worker greets."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    health = Health()
    with (
        last_resort(settings.stop_seconds + AFTER_GRACE_SECONDS) as resort,
        database_connection_url(settings) as url,
    ):
        # Here, where an unusable database prints one message; inside the server it would print a traceback.
        keys = asyncio.run(_real_keys(url))
        _require_credentials(settings, keys, data, warns=worker == 0)
        config = uvicorn.Config(
            create_app(settings, health, listeners.metrics, workers=settings.workers, worker_metrics=metrics),
            http=CoalescingProtocol,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
        greeting = _greeting(
            f"http://{host}:{settings.port}", settings.database_shown, _callers(settings, keys, data), data
        )

        def stopping() -> None:
            health.is_stopping = True
            resort.start()

        exempt_existing_objects()
        StoppingServer(
            config,
            grace_seconds=settings.stop_seconds,
            on_started=partial(typer.echo, greeting) if worker == 0 else lambda: None,
            on_stopping=stopping,
        ).run(sockets=[listeners.server])


async def _real_keys(url: str) -> int:
    """Return the number of API keys that work and are no demo keys.

    Errors: DATABASE_OUTDATED; DATABASE_NEWER; DATABASE_VERSION.
    """
    async with Database.open(url, size=1) as database:
        await require_compatible(database)
        return await count_real_keys(database)


def _require_credentials(settings: Settings, keys: int, data: Path | None, *, warns: bool = True) -> None:
    """Check that other machines are served with credentials only, and warn if the way to them is not encrypted."""
    if settings.is_loopback:
        return
    if not keys and settings.oidc is None:
        raise AccordError(
            ErrorCode.NOT_LOOPBACK,
            f"There are no credentials, so Accord does not listen on {settings.host}.",
            f"Create one: {next_command('accord key create NAME', data)}. Or leave out --host, to serve this machine.",
        )
    if warns and not settings.trusted_proxies:
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
