"""The rules of single tables that no constraint of the database holds: circles, order of days, stages of new deals."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from api.errors import AccordError, ErrorCode
from api.identity.erased_keys import address_text, erased_among, key_text
from api.sql import Sql
from api.workflows.records.cost_ranges import disjoint_ranges, order_of_range
from api.workflows.records.past_instants import past_problem
from api.workflows.records.planned_row import PlannedRow
from api.workflows.records.record_tree import PARENTS, in_circles, lock_tree, tree_above
from api.workflows.unit_of_work import UnitOfWork
from api.workflows.user_errors import UserError
from schema.access.rights import Reach
from schema.base import ColumnShape, TableShape
from schema.mail_address import email_kind
from schema.vocab import StageCategory
from schema.writes.user_errors import UserErrorCode

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
                if _may_identify(row.shape.column(column)):
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


def _may_identify(column: ColumnShape) -> bool:
    """Return whether a column may identify a person: personal data, and whatever people write in their own words."""
    note = column.note
    return note.personal or (column.python is str and note.vocab is None and note.format is None)


async def _no_circle(work: UnitOfWork, rows: Sequence[PlannedRow]) -> None:
    """Note the rows that would come to stand above themselves. Two statements, however many rows."""
    table = rows[0].shape.name if rows else ""
    column = PARENTS.get(table, "")
    placed = {row.stored["id"]: row for row in rows if row.stored is not None and column in row.changes}
    parents = {id_: row.changes[column] for id_, row in placed.items()}
    if not any(parents.values()):
        return
    await lock_tree(work, table)
    tree = await tree_above(work, table, {parent for parent in parents.values() if parent is not None})
    valid = {id_: parent for id_, parent in parents.items() if not placed[id_].errors}
    refused = in_circles(tree, valid)
    after = {**tree, **{id_: parent for id_, parent in valid.items() if id_ not in refused}}
    for id_, row in placed.items():
        # A row with other errors does not move, but its caller gets all that is wrong with it.
        if id_ in refused or in_circles(after, {id_: parents[id_]}):
            row.reject(column, UserErrorCode.CIRCLE, "The record would be above itself, directly or through others.")


def _order_days(row: PlannedRow) -> None:
    if not {"starts_on", "ends_on"} & row.changes.keys():
        return
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


def _two_currencies(row: PlannedRow) -> None:
    if row.value("currency") is not None and row.value("currency") == row.value("quote_currency"):
        message = f"A rate is between two currencies, and both are {row.value('currency')}. Name another one."
        row.reject("quote_currency", UserErrorCode.INVALID, message)


async def _deal_dates_and_stage(work: UnitOfWork, rows: Sequence[PlannedRow]) -> None:
    for row in rows:
        opened, closed = row.changes.get("opened_at"), row.value("closed_at")
        problem = past_problem(work, opened, (*row.given.path, "opened_at"))
        if problem is not None:
            row.errors.append(problem)
        elif opened is not None and closed is not None and opened > closed:
            message = f"The deal was closed at {closed}, which is before {opened}."
            row.reject("opened_at", UserErrorCode.OUT_OF_ORDER, message)
    staged = [row for row in rows if row.stored is None and row.changes.get("pipeline_stage_id") is not None]
    if not staged:
        return
    stages = await _stages(work, [row.changes["pipeline_stage_id"] for row in staged])
    for row in staged:
        category, is_active = stages[row.changes["pipeline_stage_id"]]
        if category != StageCategory.OPEN:
            message = f"Deals in this stage are {category}. A new deal begins in an open stage; closeDeal closes it."
            row.reject("pipeline_stage_id", UserErrorCode.WRONG_STATE, message)
        elif not is_active:
            message = "The pipeline of this stage is deactivated. Name a stage of one that is in use."
            row.reject("pipeline_stage_id", UserErrorCode.INACTIVE, message)


async def _stages(work: UnitOfWork, ids: Sequence[UUID]) -> Mapping[UUID, tuple[str, bool]]:
    """Return the categories of pipeline stages, and whether their pipelines are in use, by their ids."""
    found = await work.session.rows(
        Sql(
            "select s.id, s.category, p.deactivated_at is null as is_active from pipeline_stage s"
            " join pipeline p on p.id = s.pipeline_id where s.id = any({}::uuid[])",
            list(ids),
        )
    )
    return {row["id"]: (row["category"], row["is_active"]) for row in found}


async def _category_of_deals(work: UnitOfWork, rows: Sequence[PlannedRow]) -> None:
    """Note the stages that would get another category than the deals in them have."""
    changed = {row.id: row for row in rows if row.stored is not None and "category" in row.changes}
    if not changed:
        return
    deals = await work.session.rows(
        Sql(
            "select d.pipeline_stage_id as stage, d.outcome, count(*) as deals from deal d"
            " where d.pipeline_stage_id = any({}::uuid[]) group by 1, 2 order by 1, 2",
            list(changed),
        )
    )
    for found in deals:
        row = changed[found["stage"]]
        if found["outcome"] != row.changes["category"]:
            count, outcome = found["deals"], found["outcome"]
            message = f"{count:,} deals in this stage are {outcome}. Deactivate it, and create another stage."
            row.reject("category", UserErrorCode.WRONG_STATE, message)


ROW_RULES: dict[str, RowRule] = {
    "contact": _compute_email_kind,
    "campaign": _order_days,
    "campaign_cost": order_of_range,
    "exchange_rate": _two_currencies,
}
RULES: dict[str, tuple[Rule, ...]] = {
    "contact": (_no_erased_person,),
    "company": (_no_circle,),
    "campaign": (_no_circle,),
    "campaign_cost": (disjoint_ranges,),
    "member": (_no_circle, _own_team),
    "pipeline_stage": (_category_of_deals,),
    "deal": (_deal_dates_and_stage,),
}
