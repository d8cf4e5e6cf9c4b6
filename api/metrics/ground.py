"""What every question of one snapshot stands on: the accord in force, the entries it led to, and who is there."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.access.evaluation import is_current
from api.access.principal import Principal
from api.accord.in_force import AccordInForce, accord_in_force
from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.metrics.answer import AccordUsed
from api.sql import Sql, join
from schema.accord import Accord


@dataclass(frozen=True, slots=True)
class Ground:
    """The accord, the current evaluation by it, and the moment of asking."""

    in_force: AccordInForce
    principal: Principal
    evaluation_id: UUID | None
    watermark: datetime | None
    has_people: bool
    has_merged_people: bool
    now: datetime

    @property
    def accord(self) -> Accord:
        """The document in force."""
        return self.in_force.accord

    @property
    def accords(self) -> tuple[AccordUsed, ...]:
        """The versions that judged, as answers name them."""
        used = self.in_force
        return (
            AccordUsed(version=used.number, hash=used.content_hash, is_signed=used.is_signed, starts_at=used.starts_at),
        )

    @property
    def evaluation(self) -> UUID:
        """The evaluation whose entries are counted; NOT_EVALUATED if there is none."""
        if self.evaluation_id is None:
            raise AccordError(
                ErrorCode.NOT_EVALUATED,
                "Nobody was judged by the accord yet, so questions about people have no answer.",
                "Run `accord evaluate`.",
            )
        return self.evaluation_id


async def ground(session: ReadSession, principal: Principal, now: datetime) -> Ground:
    """Read what questions stand on. Errors: NO_ACCORD."""
    in_force = await accord_in_force(session)
    [row] = await session.rows(
        Sql(
            "select e.id, e.watermark, ({}) as has_people,"
            " exists (select from contact x where x.merged_into_id is not null) as has_merged,"
            # A question is planned for its own period and stages: a plan for any of them reads twice as much.
            " set_config('plan_cache_mode', 'force_custom_plan', true) as planning"
            " from (select) one left join evaluation e on {}",
            who_is_known(in_force.accord),
            is_current("e"),
        )
    )
    return Ground(in_force, principal, row["id"], row["watermark"], row["has_people"], row["has_merged"], now)


def who_is_known(accord: Accord) -> Sql:
    """Ask whether anybody is there who could be counted."""
    return Sql("select exists (select from contact x where not ({}))", never_counted(accord))


def never_counted(accord: Accord) -> Sql:
    """Whether the contact `x` is never counted, as it is today: deleted, merged, a test, or one of our own.

    A survivor's entries are judged from the facts of all that were merged into it.
    """
    return join(" or ", (Sql("x.deleted_at is not null or x.merged_into_id is not null"), *_left_out(accord)))


def left_out(accord: Accord) -> Sql | None:
    """Whether the accord leaves the contact `x` out of reports; None where it leaves out nobody."""
    conditions = _left_out(accord)
    return join(" or ", conditions) if conditions else None


def _left_out(accord: Accord) -> tuple[Sql, ...]:
    columns = {"TEST": Sql("x.is_test"), "INTERNAL": Sql("x.is_internal")}
    return tuple(columns[each] for each in accord.reporting.exclude)
