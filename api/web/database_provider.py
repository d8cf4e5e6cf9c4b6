"""The open database, for request handlers that are built before the server starts."""

from collections.abc import Callable
from dataclasses import dataclass

from api.db import Database

DatabaseProvider = Callable[[], Database]


@dataclass(slots=True)
class DatabaseHolder:
    """Holds the database that the server opens when it starts."""

    database: Database | None = None

    def get(self) -> Database:
        """The open database. Raises TypeError if the server was started without one."""
        if self.database is None:
            raise TypeError("the application was started without its database")
        return self.database
