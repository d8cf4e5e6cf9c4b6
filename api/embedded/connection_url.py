"""The connection URL of the database that a process uses."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Event, Thread

from api.database_url import parse_database_url
from api.embedded.server import EmbeddedServer, start
from api.errors import AccordError, ErrorCode
from api.settings import Settings

logger = logging.getLogger("accord.embedded")

WATCH_SECONDS = 1.0
"""How often a process that serves looks whether the private server has ended."""

WATCH_END_SECONDS = 5.0

_WARNED: set[str] = set()


@contextmanager
def database_connection_url(settings: Settings, *, revives: bool = False, is_direct: bool = False) -> Iterator[str]:
    """Yield `DATABASE_URL` or, if it is not set, the URL of the private server, which runs while the block runs.

    With `revives` a private server that ends without `stop` is started again, until the block ends. With `is_direct`
    no pooler is between, as whatever lasts longer than a transaction needs it. The URL may contain a password. Log
    `settings.database_shown` instead.

    Errors: NEEDS_DIRECT_URL with `is_direct`, if only the URL of a pooler is known.
    """
    url = (settings.direct_url or settings.connection_url) if is_direct else settings.connection_url
    if url is not None:
        if is_direct and parse_database_url(url).is_pooled:
            raise AccordError(
                ErrorCode.NEEDS_DIRECT_URL,
                "This cannot be done through a pooler, which gives each transaction another connection.",
                "Set DATABASE_URL_DIRECT to the URL of the same database without the pooler.",
            )
        _warn_once(settings)
        yield url
        return
    server = start(settings.data_dir)
    try:
        with _watched(server) if revives else nullcontext():
            yield server.dsn()
    finally:
        server.close()


def _warn_once(settings: Settings) -> None:
    """Name what the URLs have and Accord does not honour, once in a process."""
    new = [warning for warning in settings.require_usable_urls() if warning not in _WARNED]
    if new:
        _WARNED.update(new)
        logger.warning("%s", "; ".join(new))


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
