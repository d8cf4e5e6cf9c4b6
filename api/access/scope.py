"""The scope of a principal: the rows of a table that the principal reaches.

`ScopedTables` adds these conditions wherever a statement reads a table:

- A record with an owner is reached by its owner (reach OWN), or by the owner's team (reach TEAM). A record without an
  owner is reached by every principal with reach TEAM, so that somebody takes it on, and by none with reach OWN.
- A row with a mandatory link to such a record is reached together with that record.
- Rows about all records together, such as what an import stored, are reached by principals with reach ALL only.
- All other rows are visible to everyone.
- Deleted records, voided facts, and stage entries of a superseded evaluation are visible to no one.
- A record that was merged into another one is visible by its id and through links that name it, but is in no list.

Who is deleted or merged is so today, whatever instant a statement reads as of: such a record is in no list of the past.
"""

from collections.abc import Callable
from functools import cache, partial

from api.access.evaluation import CURRENT_EVALUATION
from api.access.principal import Principal
from api.sql import Parameter, Sql, all_of, name
from schema.access.rights import Reach
from schema.tables import SHAPES

# Returns the conditions for the rows of a linked table known by an alias.
LinkedConditions = Callable[[str, str], tuple[Sql, ...]]

# The link from a record to the one that it was merged into.
MERGED_INTO = "merged_into_id"

# The parameter that each execution binds to the principal's member id. The dot keeps it apart from GraphQL variables.
MEMBER_PARAMETER = "principal.member_id"


def scope_conditions(
    table: str, alias: str, principal: Principal, evaluation: Sql = CURRENT_EVALUATION
) -> tuple[Sql, ...]:
    """Return the conditions for the rows of `table` that a principal reaches; empty if every row is visible.

    `alias` names the current row of the record, also if the statement reads the rows as of an earlier instant. A
    record that is deleted today is not visible as of any instant. Access follows the current owner, also for past
    instants: the current owner reads the whole past of a record, and a former owner reads nothing of it.

    `evaluation` is the one whose stage entries are visible.

    Shapes: table -> conditions. Each execution binds `MEMBER_PARAMETER` to the principal's member id.
    Errors: KeyError for an unknown table.
    """
    row = name(alias)
    conditions: list[Sql] = []
    if any(column.name == "deleted_at" for column in SHAPES[table].columns):
        conditions.append(Sql("{}.deleted_at is null", row))
    conditions += unvoided_conditions(table, alias)
    if table == "stage_entry":
        conditions.append(Sql("{}.evaluation_id = {}", row, evaluation))
    if principal.reach is not Reach.ALL:
        member = Sql("{}", Parameter(MEMBER_PARAMETER))
        linked_scope = partial(scope_conditions, principal=principal)
        conditions += _reach(table, alias, principal.reach, member, linked_scope)
    return tuple(conditions)


@cache
def can_be_merged(table: str) -> bool:
    """Return whether a row of the table can be merged into another one.

    Errors: KeyError for an unknown table.
    """
    return any(column.name == MERGED_INTO for column in SHAPES[table].columns)


def unmerged_conditions(table: str, alias: str) -> tuple[Sql, ...]:
    """Return the conditions for the rows of `table` that were not merged into another one; empty if none can be.

    Shapes: table, alias of the current row of the record -> conditions. Errors: KeyError for an unknown table.
    """
    return (Sql("{}.{} is null", name(alias), name(MERGED_INTO)),) if can_be_merged(table) else ()


def unvoided_conditions(table: str, alias: str) -> tuple[Sql, ...]:
    """Return the conditions for the rows of `table` that were not voided; empty if none can be.

    Shapes: table, alias of the row -> conditions. Errors: KeyError for an unknown table.
    """
    is_voidable = any(column.name == "voided_at" for column in SHAPES[table].columns)
    return (Sql("{}.voided_at is null", name(alias)),) if is_voidable else ()


def reach_conditions(table: str, alias: str, principal: Principal) -> tuple[Sql, ...]:
    """Return the conditions that a principal reaches a row of `table`; empty if it reaches every row.

    Unlike `scope_conditions`, they exclude neither deleted nor voided rows, choose no evaluation, and bind the member
    id at once: for statements that are written for one request and have exclusions of their own, such as those of KPIs.
    """
    if principal.reach is Reach.ALL:
        return ()
    member = Sql("{}::uuid", principal.member_id)
    return tuple(_reach(table, alias, principal.reach, member, partial(reach_conditions, principal=principal)))


def owner_conditions(owner: Sql, principal: Principal) -> tuple[Sql, ...]:
    """Return the conditions that a principal reaches records with this owner; empty if it reaches every record.

    Like those of `reach_conditions`, they bind the member id at once. A null is a record without an owner.
    """
    if principal.reach is Reach.ALL:
        return ()
    return (_has_reached_owner(owner, principal.reach, Sql("{}::uuid", principal.member_id)),)


def reached_owners(principal: Principal) -> Sql:
    """Return an array of the members whose records a principal with the reach TEAM or OWN reaches, in one order."""
    member = Sql("{}::uuid", principal.member_id)
    if principal.reach is Reach.OWN:
        return Sql("array[{}]", member)
    return Sql(
        "array(select m.id from member m where m.id = {} or m.team_id = {} order by m.id)", member, _team_of(member)
    )


@cache
def has_owner(table: str) -> bool:
    """Return whether rows of the table have an owner.

    Errors: KeyError for an unknown table.
    """
    return any(column.name == "owner_id" for column in SHAPES[table].columns)


@cache
def subject_links(table: str) -> tuple[tuple[str, str], ...]:
    """Return the mandatory links of a table to records with restricted access.

    A row is reached only together with every record that these links name.

    Shapes: table -> pairs of foreign key and linked table. Errors: KeyError for an unknown table.
    """
    return tuple(
        (link.column, link.target)
        for column in SHAPES[table].columns
        if (link := column.link) and not column.is_nullable and link.target != table and _is_restricted(link.target)
    )


def _is_restricted(table: str) -> bool:
    return has_owner(table) or SHAPES[table].needs_reach_all or bool(subject_links(table))


def _reach(table: str, alias: str, reach: Reach, member: Sql, linked_conditions: LinkedConditions) -> list[Sql]:
    """Return the conditions on the row's owner, or on the records that its mandatory links name."""
    if has_owner(table):
        return [_has_reached_owner(Sql("{}.owner_id", name(alias)), reach, member)]
    if SHAPES[table].needs_reach_all:
        return [Sql("false")]
    return [_reaches_linked(alias, column, target, linked_conditions) for column, target in subject_links(table)]


def _reaches_linked(alias: str, column: str, target: str, linked_conditions: LinkedConditions) -> Sql:
    """Return the condition that the principal reaches the record that a link of the row names."""
    linked = f"{alias}_{target}"
    from_linked = Sql("{} {} where {}.id = {}.{}", name(target), name(linked), name(linked), name(alias), name(column))
    # The linked table may follow a link of its own. It costs an index lookup per row and link.
    return Sql("exists (select from {} and {})", from_linked, all_of(linked_conditions(target, linked)))


def _has_reached_owner(owner: Sql, reach: Reach, member: Sql) -> Sql:
    """Return the condition that a record with this owner is reached; a null is a record without an owner."""
    if reach is Reach.OWN:
        return Sql("{} = {}", owner, member)
    # An array, which PostgreSQL computes once per statement: unlike a subquery after `in`, the alternatives can then
    # both be looked up in the index of the owners. The principal is listed beside the team, because a member without a
    # team still reaches their own records.
    team = Sql("array(select m.id from member m where m.id = {} or m.team_id = {})", member, _team_of(member))
    return Sql("({} = any ({}) or {} is null)", owner, team, owner)


def _team_of(member: Sql) -> Sql:
    return Sql("(select own.team_id from member own where own.id = {})", member)
