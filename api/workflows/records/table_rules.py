"""The rules of single tables that no constraint of the database holds: circles, order of days, stages of new deals."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from api.errors import AccordError, ErrorCode
from api.identity.erased_keys import address_text, erased_among, key_text
from api.sql import Sql
from api.workflows.records.record_input import RecordInput, field_name
from api.workflows.records.record_tree import PARENTS, is_above, lock_tree
from api.workflows.records.stored_rows import StoredRow
from api.workflows.unit_of_work import UnitOfWork
from api.workflows.user_errors import UserError
from schema.access.rights import Reach
from schema.base import TableShape
from schema.mail_address import email_kind
from schema.vocab import StageCategory
from schema.writes.user_errors import UserErrorCode

CLOCK_SKEW = timedelta(minutes=5)


@dataclass(slots=True)
class PlannedRow:
    """One row of input on its way to the table: the stored row, what changes, and what is wrong."""

    shape: TableShape
    given: RecordInput
    stored: StoredRow | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    errors: list[UserError] = field(default_factory=list)

    @property
    def id(self) -> UUID | None:
        """The id of the record; None if it is new and has none yet."""
        found: UUID | None = self.stored["id"] if self.stored is not None else self.changes.get("id")
        return found

    def value(self, column: str) -> Any:  # noqa: ANN401 - a value of any column
        """Return the value that the column will have."""
        if column in self.changes:
            return self.changes[column]
        return None if self.stored is None else self.stored[column]

    def reject(self, column: str, code: UserErrorCode, message: str) -> None:
        """Note what is wrong with the field of a column."""
        self.errors.append(UserError((*self.given.path, field_name(self.shape, column)), code, message))


# A rule of one row, and a rule that reads the database for all rows at once.
RowRule = Callable[[PlannedRow], None]
Rule = Callable[[UnitOfWork, Sequence[PlannedRow]], Awaitable[None]]


async def apply_rules(work: UnitOfWork, shape: TableShape, rows: Sequence[PlannedRow]) -> None:
    """Fill computed columns, and note in each row what the rules of its table forbid."""
    compute = ROW_RULES.get(shape.name)
    if compute is not None:
        for row in rows:
            compute(row)
    for rule in RULES.get(shape.name, ()):
        await rule(work, rows)


def _compute_email_kind(row: PlannedRow) -> None:
    if "email" in row.changes:
        email = row.changes["email"]
        kind = email_kind(email if isinstance(email, str) else None)
        if row.stored is None or row.stored["email_kind"] != kind:
            row.changes["email_kind"] = kind


async def _no_erased_person(work: UnitOfWork, rows: Sequence[PlannedRow]) -> None:
    """Note what would bring back a person who was erased: their address, their key, or values of their record."""
    named: list[tuple[PlannedRow, str, str]] = []
    for row in rows:
        if row.stored is not None and row.stored["erased_at"] is not None:
            for column in row.changes:
                if row.shape.column(column).note.personal:
                    row.reject(column, UserErrorCode.ERASED, "This person was erased.")
        elif isinstance(row.changes.get("email"), str):
            named.append((row, "email", address_text(row.changes["email"])))
        if row.stored is None and row.given.key is not None:
            named.append((row, "external_key", key_text(row.given.key.source, row.given.key.external_id)))
    erased = await erased_among(work.session, [text for _, _, text in named])
    for row, field_, text in named:
        if text in erased:
            message = "This belongs to a person who was erased. Nothing of them is stored again."
            row.errors.append(UserError((*row.given.path, field_), UserErrorCode.ERASED, message))


async def _no_circle(work: UnitOfWork, rows: Sequence[PlannedRow]) -> None:
    for row in rows:
        column = PARENTS[row.shape.name]
        parent = row.changes.get(column)
        if not isinstance(parent, UUID) or row.stored is None:
            continue
        await lock_tree(work, row.shape.name)
        is_circle = parent == row.stored["id"] or await is_above(work, row.shape.name, row.stored["id"], parent)
        if is_circle:
            row.reject(column, UserErrorCode.CIRCLE, "The record would be above itself, directly or through others.")


def _order_days(row: PlannedRow) -> None:
    first, last = row.value("starts_on"), row.value("ends_on")
    if first is not None and last is not None and last < first:
        changed = "ends_on" if "ends_on" in row.changes else "starts_on"
        row.reject(changed, UserErrorCode.OUT_OF_ORDER, f"The last day, {last}, is before the first, {first}.")


async def _own_team(work: UnitOfWork, rows: Sequence[PlannedRow]) -> None:
    """Require that whoever moves a member to another team reaches every record: reach TEAM follows the team.

    Errors: NOT_ALLOWED. Otherwise members could widen their own reach.
    """
    if work.principal.reach is not Reach.ALL and any(row.stored and "team_id" in row.changes for row in rows):
        raise AccordError(
            ErrorCode.NOT_ALLOWED,
            f"The team of a member decides which records are reached. To change it needs the reach {Reach.ALL}.",
            "Leave `team` out, or ask an administrator.",
        )


async def _cost_ranges(work: UnitOfWork, rows: Sequence[PlannedRow]) -> None:
    for row in rows:
        if not {"campaign_id", "source", "from_on", "before_on"} & row.changes.keys():
            continue
        campaign, source = row.value("campaign_id"), row.value("source")
        await work.session.run(Sql("select pg_advisory_xact_lock(hashtext({}))", f"campaign_cost.{campaign}.{source}"))
        other = await work.session.row(
            Sql(
                "select from_on, before_on from campaign_cost where campaign_id = {}::uuid and source = {}"
                " and from_on < {}::date and {}::date < before_on and id is distinct from {}::uuid"
                " and deleted_at is null order by from_on limit 1",
                *(campaign, source, row.value("before_on"), row.value("from_on"), row.id),
            )
        )
        if other is not None:
            range_ = f"{other['from_on']} to before {other['before_on']}"
            message = f"These days overlap those of another cost of the same campaign and source: {range_}."
            row.reject("from_on", UserErrorCode.DUPLICATE, message)


async def _deal_dates_and_stage(work: UnitOfWork, rows: Sequence[PlannedRow]) -> None:
    for row in rows:
        opened, closed = row.changes.get("opened_at"), row.value("closed_at")
        if opened is not None and opened > work.started_at + CLOCK_SKEW:
            row.reject("opened_at", UserErrorCode.IN_FUTURE, f"{opened} is in the future.")
        elif opened is not None and closed is not None and opened > closed:
            message = f"The deal was closed at {closed}, which is before {opened}."
            row.reject("opened_at", UserErrorCode.OUT_OF_ORDER, message)
    staged = [row for row in rows if row.changes.get("pipeline_stage_id") is not None]
    if not staged:
        return
    categories = await stage_categories(work, [row.changes["pipeline_stage_id"] for row in staged])
    for row in staged:
        category = categories.get(row.changes["pipeline_stage_id"])
        if category != StageCategory.OPEN:
            message = f"Deals in this stage are {category}. A new deal begins in an open stage; closeDeal closes it."
            row.reject("pipeline_stage_id", UserErrorCode.WRONG_STATE, message)


async def stage_categories(work: UnitOfWork, ids: Sequence[object]) -> Mapping[object, str]:
    """Return the categories of pipeline stages, by their ids."""
    found = await work.session.rows(
        Sql("select id, category from pipeline_stage where id = any({}::uuid[])", list(ids))
    )
    return {row["id"]: row["category"] for row in found}


ROW_RULES: dict[str, RowRule] = {"contact": _compute_email_kind, "campaign": _order_days}
RULES: dict[str, tuple[Rule, ...]] = {
    "contact": (_no_erased_person,),
    "company": (_no_circle,),
    "campaign": (_no_circle,),
    "campaign_cost": (_cost_ranges,),
    "member": (_no_circle, _own_team),
    "deal": (_deal_dates_and_stage,),
}
