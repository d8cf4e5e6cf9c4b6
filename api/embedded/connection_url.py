"""The address of the database that a process works with."""

from collections.abc import Iterator
from contextlib import contextmanager

from api.embedded.server import start
from api.settings import Settings


@contextmanager
def database_connection_url(settings: Settings) -> Iterator[str]:
    """Yield the connection address: `DATABASE_URL`, else the private server, held for as long as the block runs.

    It may hold a password: show `settings.database_shown` instead.
    """
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    server = start(settings.data_dir)
    try:
        yield server.dsn()
    finally:
        server.close()
