"""Requests where there is a read replica: queries run on it, and once more on the primary if it cannot serve them."""

from dataclasses import dataclass

import asyncpg
from graphql import GraphQLError, OperationType

from api.db import LOST_CONNECTION, Database, PrimaryNeededError, ReadReplica, WalPosition
from api.errors import AccordError
from api.graph.gateway import ExecutedResult, Gateway, JsonResult, RequestPlan
from api.telemetry.instruments import READS

Result = JsonResult | ExecutedResult


@dataclass(frozen=True, slots=True)
class Freshness:
    """How fresh a response is.

    `lag_seconds` is how far the replica was behind at most that it was read from; None if it was read from the primary.
    `committed` is the position after what a mutation has written; None for a query.
    """

    lag_seconds: float | None = None
    committed: WalPosition | None = None


@dataclass(frozen=True, slots=True)
class ReplicaSource:
    """Where a request runs: on `database`, which is the replica or its primary."""

    replica: ReadReplica
    database: Database

    async def run(self, gateway: Gateway, plan: RequestPlan) -> tuple[Result, Freshness]:
        """Run a request. Errors: those of `Gateway.execute`."""
        primary = self.replica.primary
        if self.database is not primary:
            lag = self.replica.lag_seconds
            result = await self._on_replica(gateway, plan)
            if not isinstance(result, str):
                READS.labels("replica", "").inc()
                return result, Freshness(lag_seconds=lag)
            self.replica.from_primary(result)
        result = await gateway.execute(primary, plan)
        if plan.operation.node.operation is OperationType.MUTATION:
            return result, Freshness(committed=await self.replica.committed())
        return result, Freshness()

    async def _on_replica(self, gateway: Gateway, plan: RequestPlan) -> Result | str:
        """Return the result, or the reason why it has to come from the primary."""
        try:
            result = await gateway.execute(self.database, plan)
        except LOST_CONNECTION as error:
            reason = reason_for_primary(error)
            if reason is None:
                raise
            return reason
        if isinstance(result, ExecutedResult):
            reasons = map(reason_for_primary, result.result.errors or ())
            return next((reason for reason in reasons if reason is not None), result)
        return result


async def replica_source(replica: ReadReplica, least: WalPosition | None, *, is_mutation: bool) -> ReplicaSource:
    """Return where a request runs that may not be older than a position. It waits a second for the replica at most."""
    if is_mutation:
        return ReplicaSource(replica, replica.primary)
    return ReplicaSource(replica, await replica.source(least))


def reason_for_primary(error: BaseException) -> str | None:
    """Why a request that failed on the replica runs again on the primary; None if it would fail there, too.

    A conflict with recovery: the standby had to remove rows that the statement could still see, or a lock.
    """
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
    if isinstance(error, PrimaryNeededError):
        return error.reason
    if isinstance(error, asyncpg.QueryCanceledError | AccordError):
        return None
    if isinstance(error, asyncpg.SerializationError | asyncpg.DeadlockDetectedError | asyncpg.LockNotAvailableError):
        return "conflict"
    return "failed" if isinstance(error, LOST_CONNECTION) else None
