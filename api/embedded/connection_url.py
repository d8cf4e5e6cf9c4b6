"""The connection URL of the database that a process uses."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Event, Thread

from api.embedded.server import EmbeddedServer, start
from api.errors import AccordError
from api.settings import Settings

logger = logging.getLogger("accord.embedded")

WATCH_SECONDS = 1.0
"""How often a process that serves looks whether the private server has ended."""

WATCH_END_SECONDS = 5.0


@contextmanager
def database_connection_url(settings: Settings, *, revives: bool = False) -> Iterator[str]:
    """Yield `DATABASE_URL` or, if it is not set, the URL of the private server, which runs while the block runs.

    With `revives` a private server that ends without `stop` is started again, until the block ends. The URL may
    contain a password. Log `settings.database_shown` instead.
    """
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    server = start(settings.data_dir)
    try:
        with _watched(server) if revives else nullcontext():
            yield server.dsn()
    finally:
        server.close()


@contextmanager
def _watched(server: EmbeddedServer) -> Iterator[None]:
    """Revive the server beside the block, in a thread: a start blocks for as long as PostgreSQL replays its log."""
    has_ended = Event()
    watcher = Thread(target=_watch, args=(server, has_ended), name="accord-postgresql", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        has_ended.set()
        watcher.join(WATCH_END_SECONDS)  # a server that hangs as it starts holds up no stop


def _watch(server: EmbeddedServer, has_ended: Event) -> None:
    is_reported = False
    while not has_ended.wait(WATCH_SECONDS):
        try:
            if server.revive():
                logger.warning("The private PostgreSQL had ended, and runs again")
            is_reported = False
        except (AccordError, OSError) as error:
            if not is_reported:  # one line an outage
                logger.warning("The private PostgreSQL has ended, and does not start: %s", error)
            is_reported = True
