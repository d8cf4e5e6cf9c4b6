"""What the application holds for its requests."""

from starlette.requests import Request

from api.db import Database


def database_of(request: Request) -> Database:
    """The database that the application opened when it started."""
    database = request.app.state.database
    if not isinstance(database, Database):
        raise TypeError("the application was started without its database")
    return database
