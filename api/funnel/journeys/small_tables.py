"""The small tables that statements over journeys join, for the present values of dimensions and for rates."""

from collections.abc import Iterable

from api.access.evaluation import CURRENT_EVALUATION
from api.db import WriteSession
from api.sql import Sql

SMALL_TABLES = frozenset({"campaign", "exchange_rate", "member", "pipeline", "pipeline_stage", "product", "team"})


async def outdate_sums(session: WriteSession, tables: Iterable[str]) -> None:
    """Mark all day sums as outdated if records of a small table were written: they are rare, and concern any day.

    Shapes: the tables written -> rows of journey_change, none for other tables.
    """
    written = sorted(SMALL_TABLES.intersection(tables))
    if written:
        await session.run(
            Sql(
                "insert into journey_change (evaluation_id, source, starts_at, ends_at)"
                " select current.id, s.source, '-infinity', 'infinity' from unnest({}::text[]) s (source)"
                " cross join (select {} as id) current where current.id is not null",
                written,
                CURRENT_EVALUATION,
            )
        )
