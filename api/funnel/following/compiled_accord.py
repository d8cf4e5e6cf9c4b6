"""The accord of the current evaluation, compiled once for each history of versions: reading and compiling it takes
longer than a re-evaluation of one contact.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from asyncpg import Record

from api.access.evaluation import is_current
from api.accord.in_force import AccordPeriod, accord_periods
from api.db import IS_EVALUATING, Session
from api.funnel.following.contact_statement import ContactStatement, contact_statement
from api.funnel.following.deal_statement import deal_statement
from api.funnel.journeys.journey_columns import with_journey_columns
from api.funnel.ladder import Ladder, ladder_of
from api.funnel.read_columns import read_columns
from api.sql import Sql, Statement

_MOST_KEPT = 16  # histories; more than any process has in use


@dataclass(frozen=True, slots=True)
class CompiledAccord:
    """The versions in force, their ladder, the columns that entries and journeys follow from, and the statements for
    a few contacts and for some deals.
    """

    periods: tuple[AccordPeriod, ...]
    ladder: Ladder
    columns: Mapping[str, frozenset[str]]
    _statements: dict[bool, ContactStatement] = field(default_factory=dict)
    _deal_statements: list[ContactStatement] = field(default_factory=list)

    def statement(self, *, has_merged: bool) -> ContactStatement:
        """The statement that re-evaluates a few contacts; it is compiled at its first use."""
        if has_merged not in self._statements:
            self._statements[has_merged] = contact_statement(self.ladder, has_merged=has_merged)
        return self._statements[has_merged]

    def deal_statement(self) -> ContactStatement:
        """The statement that derives the journeys of some deals again; it is compiled at its first use."""
        if not self._deal_statements:
            self._deal_statements.append(deal_statement(self.ladder))
        return self._deal_statements[0]


@dataclass(frozen=True, slots=True)
class CurrentEvaluation:
    """The evaluation that readers see, and the accord that it applies."""

    id: UUID
    compiled: CompiledAccord


# The current evaluation and its accord: no row before the first. Statements that are needed anyway read it, too.
# `history` identifies the versions that were in force up to that of the evaluation: a person's entries follow from all.
CURRENT_EVALUATION = Sql(
    """select v.id as evaluation_id, v.accord_version_id as version_id, (
    select string_agg(a.id || ' ' || a.content_hash, ' ' order by a.in_force_from nulls first)
    from accord_version a, accord_version latest
    where latest.id = v.accord_version_id and a.status in ('ACTIVE', 'SUPERSEDED')
      and (a.in_force_from is null or a.in_force_from <= latest.in_force_from)
  ) as history
  from evaluation v where {}""",
    is_current("v"),
)
# The same in one row, also before the first, with whether an evaluation runs that the unit of work does not wait for.
EVALUATION_NOW = Sql(
    "select {} as is_evaluating, e.* from (select) one left join ({}) e on true", IS_EVALUATING, CURRENT_EVALUATION
)
_READ_CURRENT_EVALUATION = Statement.of(CURRENT_EVALUATION)
_READ_EVALUATION_NOW = Statement.of(EVALUATION_NOW)

_compiled: dict[str, CompiledAccord] = {}


async def evaluation_now(session: Session) -> Record:
    """Read the columns of `EVALUATION_NOW`."""
    row = await session.row(_READ_EVALUATION_NOW)
    if row is None:
        raise LookupError("the statement returns a row")
    return row


async def current_evaluation(session: Session) -> CurrentEvaluation | None:
    """Read the current evaluation; None before the first."""
    return await evaluation_of(session, await session.row(_READ_CURRENT_EVALUATION))


async def evaluation_of(session: Session, row: Record | None) -> CurrentEvaluation | None:
    """Return the evaluation of a row that has the columns of `CURRENT_EVALUATION`; None if they are null."""
    if row is None or row["evaluation_id"] is None:
        return None
    found = _compiled.get(row["history"])
    if found is None:
        found = compiled_accord(await accord_periods(session, up_to=row["version_id"]))
    return CurrentEvaluation(row["evaluation_id"], found)


def compiled_accord(periods: tuple[AccordPeriod, ...]) -> CompiledAccord:
    """Compile some versions, or return what was compiled before. Errors: ValueError, see `ladder_of`."""
    history = " ".join(f"{period.version_id} {period.accord.content_hash()}" for period in periods)
    if history not in _compiled:
        ladder = ladder_of(periods)
        while len(_compiled) >= _MOST_KEPT:
            _compiled.pop(next(iter(_compiled)))
        _compiled[history] = CompiledAccord(periods, ladder, with_journey_columns(read_columns(*ladder.accords)))
    return _compiled[history]
