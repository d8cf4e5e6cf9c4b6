"""The open database, for request handlers that are built before the server starts."""

from collections.abc import Callable
from dataclasses import dataclass

from api.db import Database, ReadReplica

DatabaseProvider = Callable[[], Database]
ReplicaProvider = Callable[[], ReadReplica | None]


def no_replica() -> None:
    """Return that there is no read replica."""


@dataclass(slots=True)
class DatabaseHolder:
    """Holds the database that the server opens when it starts, and its read replica if it has one."""

    database: Database | None = None
    replica: ReadReplica | None = None

    def get(self) -> Database:
        """The open database. Raises TypeError if the server was started without one."""
        if self.database is None:
            raise TypeError("the application was started without its database")
        return self.database

    def get_replica(self) -> ReadReplica | None:
        """The read replica; None if there is none."""
        return self.replica
