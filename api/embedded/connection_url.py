"""The connection URL of the database that a process uses."""

from collections.abc import Iterator
from contextlib import contextmanager

from api.embedded.server import start
from api.settings import Settings


@contextmanager
def database_connection_url(settings: Settings) -> Iterator[str]:
    """Yield `DATABASE_URL` or, if it is not set, the URL of the private server, which runs while the block runs.

    The URL may contain a password. Log `settings.database_shown` instead.
    """
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    server = start(settings.data_dir)
    try:
        yield server.dsn()
    finally:
        server.close()
