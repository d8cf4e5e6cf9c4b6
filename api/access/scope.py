"""The rows of a table that a principal reaches. The planner ANDs this into every visit of the table.

What has an owner is the owner's; what has to be about such a record goes with it; all else is the whole firm's.
"""

from functools import cache

from api.access.evaluation import CURRENT_EVALUATION
from api.access.principal import Principal, Reach
from api.sql import Parameter, Sql, all_of, name
from schema.tables import SHAPES

MEMBER = "the asking member"  # the slot that each run fills; no name of a GraphQL variable


def scope(table: str, alias: str, who: Principal, at: Sql | None = None) -> tuple[Sql, ...]:
    """Conditions on the rows of `table`, known as `alias` in the statement; none where every row may be shown.

    `alias` is the record as it is now, even where a question is as of an earlier instant `at`: a record that was
    deleted later was there then, but whose it is tells today's owner. Who lost a record to somebody else may not read
    its past, and who has it now may read all of it.
    What a run has to bring for the slot `MEMBER` is the principal's member id.
    """
    row = name(alias)
    found: list[Sql] = []
    if any(column.name == "deleted_at" for column in SHAPES[table].columns):
        later = Sql("") if at is None else Sql(" or {}.deleted_at > {}", row, at)
        found.append(Sql("{}.deleted_at is null{}", row, later))
    if table == "stage_entry":
        found.append(Sql("{}.evaluation_id = {}", row, CURRENT_EVALUATION))
    if who.reach is not Reach.ALL:
        found += _reached(table, alias, who, at)
    return tuple(found)


def reach_conditions(table: str, alias: str, who: Principal) -> tuple[Sql, ...]:
    """Conditions that the principal reaches the row of `table` known as `alias`; none if it reaches every row.

    Unlike `scope`, they neither exclude deleted rows nor choose an evaluation, and they bind the member id at once: for
    statements that are written for one request and have exclusions of their own.
    """
    if who.reach is Reach.ALL:
        return ()
    if is_owned(table):
        return (Sql("{}.owner_id {}", name(alias), _looks_after(who.reach, Sql("{}::uuid", who.member_id))),)
    found = []
    for column, other in is_about(table):
        whole = f"{alias}_{other}"
        source = Sql("{} {} where {}.id = {}.{}", name(other), name(whole), name(whole), name(alias), name(column))
        found.append(Sql("exists (select from {} and {})", source, all_of(reach_conditions(other, whole, who))))
    return tuple(found)


@cache
def is_owned(table: str) -> bool:
    """Whether rows of the table have an owner."""
    return any(column.name == "owner_id" for column in SHAPES[table].columns)


@cache
def is_about(table: str) -> tuple[tuple[str, str], ...]:
    """The links by which a row of the table has to be about a record that not everybody reaches: column, table."""
    return tuple(
        (link.column, link.target)
        for column in SHAPES[table].columns
        if (link := column.link) and not column.is_nullable and link.target != table and _is_restricted(link.target)
    )


def _is_restricted(table: str) -> bool:
    return is_owned(table) or bool(is_about(table))


def _reached(table: str, alias: str, who: Principal, at: Sql | None) -> list[Sql]:
    if is_owned(table):
        return [Sql("{}.owner_id {}", name(alias), _looks_after(who.reach, Sql("{}", Parameter(MEMBER))))]
    return [_goes_with(alias, column, other, who, at) for column, other in is_about(table)]


def _goes_with(alias: str, column: str, other: str, who: Principal, at: Sql | None) -> Sql:
    """Rows that are about a record that is reached."""
    whole = f"{alias}_{other}"
    source = Sql("{} {} where {}.id = {}.{}", name(other), name(whole), name(whole), name(alias), name(column))
    return Sql("exists (select from {} and {})", source, all_of(scope(other, whole, who, at)))


def _looks_after(reach: Reach, member: Sql) -> Sql:
    """The owners whose records are reached by the member."""
    if reach is Reach.OWN:
        return Sql("= {}", member)
    return Sql("in (select m.id from member m where m.id = {} or m.team_id = {})", member, _team_of(member))


def _team_of(member: Sql) -> Sql:
    return Sql("(select own.team_id from member own where own.id = {})", member)
