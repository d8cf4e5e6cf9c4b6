"""The notification by which a planned activation wakes the background job."""

from api.db import WriteSession
from api.sql import Sql

CHANNEL = "accord_activation"


async def announce_activation(session: WriteSession) -> None:
    """Wake the job when the transaction commits."""
    await session.run(Sql("select pg_notify({}, '')", CHANNEL))
