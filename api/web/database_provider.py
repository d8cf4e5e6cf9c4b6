"""What the server holds while it runs."""

from collections.abc import Callable
from dataclasses import dataclass

from api.db import Database

DatabaseOf = Callable[[], Database]


@dataclass(slots=True)
class Opened:
    """The database that the server opened when it started."""

    held: Database | None = None

    def database(self) -> Database:
        """The database; TypeError where the server was started without one."""
        if self.held is None:
            raise TypeError("the application was started without its database")
        return self.held
