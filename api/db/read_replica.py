"""When reads may go to the read replica: it answers, follows the primary, is not too far behind, and fits this release.

Every process checks both servers once a second. While the replica may not be read, all reads go to the primary, which
is logged when it begins and when it ends.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Self

import asyncpg

from api.db.connections import WaitLimits
from api.db.database import Database
from api.db.failures import LOST_CONNECTION
from api.db.replica_database import ReplicaDatabase
from api.db.wal_positions import (
    COMMIT_POSITION,
    NOWHERE,
    REPLAYED_POSITION,
    UNKNOWN,
    ReplayLag,
    WalPosition,
    read_position,
)
from api.errors import AccordError
from api.sql import Sql
from api.telemetry.instruments import READS
from api.telemetry.sampled import SAMPLED, ReplicaUse
from api.traffic.deadline import uninterrupted_commit

logger = logging.getLogger("accord.db")

CHECK_SECONDS = 1.0  # between two checks of both servers
ANSWER_SECONDS = 2.0  # for one check; a replica that takes longer is not read
WAIT_SECONDS = 1.0  # for the replica to replay a commit, in a request that must not be older
POLL_SECONDS = 0.02  # between two polls of the replica while a request waits

_UNREACHABLE, _SILENT = "it cannot be reached", "it does not answer in time"
_UNKNOWN_LAG = "it is not known how far it is behind"
# The cluster and the database in it: a standby has both from its primary, and a logical replica does not.
_IDENTITY = Sql(
    "select (select system_identifier from pg_control_system()) || '/' ||"
    " (select oid from pg_database where datname = current_database())"
)


@dataclass(frozen=True, slots=True)
class ReplicaOptions:
    """The connection URL of a read replica, how many connections each of its pools has, and the most seconds behind."""

    dsn: str
    size: int
    most_lag_seconds: float
    wait_limits: WaitLimits


class ReadReplica:
    """The read replica of a primary. `require_usable` raises AccordError for a schema that this release cannot read.

    `problem` is why reads go to the primary; None while they go to the replica.
    """

    def __init__(
        self,
        database: ReplicaDatabase,
        primary: Database,
        most_lag_seconds: float,
        require_usable: Callable[[Database], Awaitable[None]],
    ) -> None:
        self.database = database
        self.problem: str | None = _UNKNOWN_LAG
        self.primary = primary
        self._most_lag_seconds = most_lag_seconds
        self._require_usable = require_usable
        self._lag = ReplayLag()
        self._replayed = NOWHERE
        self._polling: asyncio.Task[WalPosition] | None = None
        self._is_logged = False

    @classmethod
    @asynccontextmanager
    async def open(
        cls, options: ReplicaOptions, primary: Database, require_usable: Callable[[Database], Awaitable[None]]
    ) -> AsyncIterator[Self]:
        """Open a replica and check it as long as the block runs. It may be away: then reads go to the primary."""
        async with ReplicaDatabase.open(
            options.dsn,
            size=options.size,
            kept_limits=primary.kept_limits,
            wait_limits=options.wait_limits,
            pool_prefix="replica_",
            is_replica=True,
        ) as database:
            replica = cls(database, primary, options.most_lag_seconds, require_usable)
            with SAMPLED.replica(replica.use):
                async with replica.watching():
                    yield replica

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Check both servers as long as the block runs."""
        watch = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            tasks = [task for task in (watch, self._polling) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    @property
    def lag_seconds(self) -> float | None:
        """How far the replica is behind at most; None if that is not known."""
        return self._lag.seconds(self._replayed, monotonic())

    def use(self) -> ReplicaUse:
        """What the metrics have of the replica."""
        return ReplicaUse(int(self.is_read), self.lag_seconds)

    @property
    def is_read(self) -> bool:
        """Whether reads go to the replica now."""
        return self.problem is None and not self.database.outage.is_on

    async def source(self, least: WalPosition | None) -> Database:
        """The database for a read that must not be older than a position: the replica, or else the primary.

        It waits WAIT_SECONDS at most until the replica is there, and holds no connection meanwhile.
        """
        if not self.is_read:
            return self.from_primary("unavailable")
        if least is None or least == NOWHERE:
            return self.database
        if await self._has_replayed(least):
            return self.database.at_least(least)
        return self.from_primary("behind")

    def from_primary(self, reason: str) -> Database:
        """The primary, for a read that the replica cannot serve."""
        READS.labels("primary", reason).inc()
        return self.primary

    async def committed(self) -> WalPosition:
        """The position after all commits until now. If it cannot be read: UNKNOWN, so that reads use the primary."""
        with uninterrupted_commit():  # the deadline of a request does not turn what it wrote into an error
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    found = await self.primary.value(*COMMIT_POSITION.render())
            except (AccordError, *LOST_CONNECTION):
                return UNKNOWN
        return WalPosition(found)

    async def _has_replayed(self, least: WalPosition) -> bool:
        deadline = monotonic() + (0 if least == UNKNOWN else WAIT_SECONDS)
        while self._replayed < least:
            left = deadline - monotonic()
            if left <= 0 or not self.is_read:
                return False
            if self._polling is None or self._polling.done():
                self._polling = asyncio.create_task(self._poll())
            await asyncio.wait({self._polling}, timeout=left)
            if self._polling.done() and self._polling.exception() is not None:
                return False
            if self._replayed < least:
                await asyncio.sleep(min(POLL_SECONDS, max(0.0, deadline - monotonic())))
        return True

    async def _poll(self) -> WalPosition:
        """Read only how far the replica is."""
        async with self.database.spare.read(timeout_ms=round(ANSWER_SECONDS * 1_000)) as session:
            self._replayed = await read_position(session, REPLAYED_POSITION) or NOWHERE
        return self._replayed

    async def _watch(self) -> None:
        while True:
            check = asyncio.create_task(self._check())
            try:
                if not (await asyncio.wait({check}, timeout=ANSWER_SECONDS))[0]:
                    self._note(_SILENT)  # its own deadlines end it
                self._note(await check)
            finally:
                check.cancel()
            await asyncio.sleep(CHECK_SECONDS)

    async def _check(self) -> str | None:
        """Check both servers. Return why the replica may not be read; None if it may."""
        try:
            identity = await self._sample_primary()
        except (AccordError, *LOST_CONNECTION):
            identity = None  # no request is served without it
        try:
            problem = await self._check_replica(identity)
            if problem is None:
                await self._require_usable(self.database.spare)
        except AccordError as error:
            return error.message.rstrip(".")
        except asyncpg.PostgresError as error:
            reason = str(error).partition("\n")[0]
            return f"it reports an error ({reason})"
        except LOST_CONNECTION:
            return _UNREACHABLE
        if problem is not None:
            return problem
        lag = self.lag_seconds
        if lag is None:
            return _UNKNOWN_LAG
        return f"it is more than {self._most_lag_seconds:g} seconds behind" if lag > self._most_lag_seconds else None

    async def _sample_primary(self) -> str:
        began = monotonic()
        async with self.primary.spare.read(timeout_ms=round(ANSWER_SECONDS * 1_000)) as session:
            position = await read_position(session, COMMIT_POSITION)
            identity = str(await session.value(_IDENTITY))
        if position is not None:
            self._lag.sample(position, began)
        return identity

    async def _check_replica(self, identity: str | None) -> str | None:
        async with self.database.spare.read(timeout_ms=round(ANSWER_SECONDS * 1_000)) as session:
            replayed = await read_position(session, REPLAYED_POSITION)
            own = str(await session.value(_IDENTITY))
        if replayed is None:
            return "it is no standby: DATABASE_URL_READ names a primary, or the standby was promoted"
        if identity is not None and own != identity:
            return "it has another database than DATABASE_URL"
        self._replayed = replayed
        return None

    def _note(self, problem: str | None) -> None:
        """Note whether the replica may be read, and log when that changes. An outage is logged where it is found."""
        former, self.problem = self.problem, problem
        if problem == former:
            return
        if problem is None:
            if self._is_logged:
                logger.warning("The read replica is read again.")
            self._is_logged = False
        elif problem != _UNREACHABLE:
            logger.warning("Reads go to the primary, and not to the read replica: %s.", problem)
            self._is_logged = True
