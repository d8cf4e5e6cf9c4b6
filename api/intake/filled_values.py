"""Carries a value that was empty, and that a later import fills, into the assumed versions of its record.

An assumed version says what the source said at the first import, for want of a history. A value that the source mends
later, such as a currency, is its better knowledge of the same time. So the version is replaced at its own start: the
new row has its own `recorded_at`, and the old one stays as an empty interval, which no reading takes and from which an
earlier knowledge can be told. A version that was really recorded stays as it is.

A value that sources overwrite at a closing fills only the versions since the last closing or reopening: what it was
before, the source does not say.
"""

from api.db import WriteSession
from api.intake.dated_history import versioned_columns
from api.intake.merge import MergeTable, current_value
from api.sql import Sql, all_of, join, name
from schema.base import ColumnShape
from schema.history import version_name

_FACTS_OF_THEIR_OWN = frozenset({"merged_into_id"})  # a merge is no property that was forgotten


async def fill_assumed_versions(session: WriteSession, merge: MergeTable) -> Sql:
    """Replace the assumed versions of records in which a value was empty, and is not any more. Before the update.

    Shapes: merged records -> one more version for every assumed one that is filled. A version whose start is unknown
            stays: it was recorded when it began. Returns the ids of the records whose current version was filled and
            that change by nothing else, as a query.
    """
    version, key, filled = name(version_name(merge.table)), name(f"{merge.table}_id"), name(f"{merge.stage}_filled")
    kept = versioned_columns(merge)
    await session.run(Sql("create temporary table {} on commit drop as {}", filled, _filled_versions(merge, kept)))
    await session.run(Sql("analyze {}", filled))
    # First this, for a record has one open version at a time.
    await session.run(
        Sql(
            "update {} v set valid_to = v.valid_from from {} f where v.{} = f.id and v.id = f.version_id",
            *(version, filled, key),
        )
    )
    columns = join(", ", map(name, kept))
    await session.run(
        Sql(
            "insert into {} ({}, valid_from, valid_to, is_assumed, {})"
            " select id, valid_from, valid_to, true, {} from {} order by id, valid_from",
            *(version, key, columns, columns, filled),
        )
    )
    return Sql("select id from {} where is_whole", filled)


def _filled_versions(merge: MergeTable, kept: tuple[str, ...]) -> Sql:
    """The assumed versions (`v`) with an empty value that the merged record (`n`) fills and the present (`t`) lacks."""
    filling = {column.name: _is_filled(merge, column) for column in _may_be_filled(merge, kept)}
    values = {
        column: Sql("case when {} then n.{} else v.{} end", filling[column], name(column), name(column))
        if column in filling
        else Sql("v.{}", name(column))
        for column in kept
    }
    is_whole = [Sql("v.valid_to is null")]
    for column in merge.changeable:
        if column.name in values:
            is_dated = Sql("n.{}", name(f"dated_{column.name}"))
            current = current_value(merge, column, is_dated, Sql("n.{}", name(column.name)))
            is_whole.append(Sql("{} is not distinct from {}", values[column.name], current))
    return Sql(
        "select n.id, v.id as version_id, v.valid_from, v.valid_to, {} as is_whole, {}"
        " from {} n join {} t on t.id = n.id join {} v on v.{} = n.id"
        " where n.is_changed and not n.is_new and v.is_assumed and v.valid_from is not null"
        " and (v.valid_from = v.valid_to) is not true and ({})",
        all_of(is_whole),
        join(", ", (Sql("{} as {}", value, name(column)) for column, value in values.items())),
        *(name(merge.stage), name(merge.table), name(version_name(merge.table)), name(f"{merge.table}_id")),
        join(" or ", (Sql("({})", is_filled) for is_filled in filling.values())) if filling else Sql("false"),
    )


def _may_be_filled(merge: MergeTable, kept: tuple[str, ...]) -> list[ColumnShape]:
    """The columns of which an empty value means that it was not known."""
    own_date = set(_FACTS_OF_THEIR_OWN) | set(merge.lifecycle.set_when_closed if merge.lifecycle else ())
    return [column for column in merge.changeable if column.name in kept and column.name not in own_date]


def _is_filled(merge: MergeTable, column: ColumnShape) -> Sql:
    it = name(column.name)
    conditions = [Sql("v.{} is null and t.{} is null and n.{} is not null", it, it, it)]
    if column in merge.dated:
        # A value with a date holds since then, and not before.
        conditions.append(Sql("not n.{}", name(f"dated_{column.name}")))
    if column.note.overwritten_at is not None:
        conditions.append(_is_of_present_end(merge, column.note.overwritten_at))
    return all_of(conditions)


def _is_of_present_end(merge: MergeTable, closed: str) -> Sql:
    """The condition that from the version on, and with the merged record, the record's end is the present one."""
    end = name(closed)
    is_filled = any(column.name == closed for column in merge.columns)
    is_same = Sql("n.{} is not distinct from t.{} and ", end, end) if is_filled else Sql("")
    return Sql(
        "{}not exists (select from {} w where w.{} = n.id and (w.valid_to is null or w.valid_to > v.valid_from)"
        " and w.{} is distinct from t.{})",
        *(is_same, name(version_name(merge.table)), name(f"{merge.table}_id"), end, end),
    )
