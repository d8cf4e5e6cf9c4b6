"""The difference between what the rows tell and what the database has, written to the records; triggers keep history.

A new record begins at its earliest dated fact, its values being assumed since then (`is_assumed`): the source has no
history. A dated value is written as a change at its date. A value that differs from an earlier import's holds from now.
"""

from dataclasses import dataclass

from api.db import WriteSession
from api.importers.plan import Telling, default_of
from api.importers.telling import Told
from api.sql import Sql, join, name
from schema.base import ColumnShape
from schema.history import version_name


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the records of a table."""

    created: int
    changed: int
    unchanged: int


async def write(session: WriteSession, told: Told) -> Tally:
    """Write the records of a table; what is as told stays untouched."""
    tally = await _tally(session, told)
    if tally.created:
        await _create(session, told)
    if told.shape.has_history:
        await _begin_earlier(session, told)
    for telling in told.dated:
        await _change_since(session, told, telling)
    if tally.changed and told.undated_columns:
        await _change_now(session, told)
    return tally


async def _tally(session: WriteSession, told: Told) -> Tally:
    changed = join(" or ", (Sql("is_changed or is_earlier"), *(Sql("{}", _dated(each)) for each in told.dated)))
    row = await session.row(
        Sql(
            "select count(*) filter (where is_new) as created, count(*) filter (where not is_new and ({})) as changed,"
            " count(*) as told from {}",
            changed,
            name(told.stage),
        )
    )
    if row is None:
        return Tally(0, 0, 0)
    return Tally(row["created"], row["changed"], row["told"] - row["created"] - row["changed"])


async def _create(session: WriteSession, told: Told) -> None:
    table, stage = name(told.table), name(told.stage)
    if told.has_id and len(told.keys) > 1:
        # A fact that now belongs to another contact: rows keyed by contact never change theirs, so it is made anew.
        await session.run(Sql("delete from {} t using {} n where t.id = n.id and n.is_new", table, stage))
    columns, values = ([name("id")], [Sql("n.id")]) if told.has_id else ([], [])
    if told.shape.has_history:
        columns += [name("effective_at"), name("is_assumed")]
        values += [Sql("n.begins"), Sql("true")]
    for column in told.columns:
        columns.append(name(column.name))
        values.append(_at_the_beginning(told, column))
    await session.run(
        Sql(
            "insert into {} ({}) select {} from {} n where n.is_new",
            table,
            join(", ", columns),
            join(", ", values),
            stage,
        )
    )


def _at_the_beginning(told: Told, column: ColumnShape) -> Sql:
    """What a column holds when its record begins: a dated value only if it dates from there."""
    value = Sql("n.{}", name(column.name))
    for telling in told.dated:
        if column.name in telling.values:
            before = default_of(told.table, column.name) or Sql("null")
            since = name(f"since_{telling.place}")
            return Sql("case when n.{} <= n.begins then {} else {} end", since, value, before)
    return value


async def _begin_earlier(session: WriteSession, told: Told) -> None:
    """Move an assumed beginning to a fact that came to light before it."""
    version, key = name(version_name(told.table)), name(f"{told.table}_id")
    await session.run(
        Sql(
            "update {} v set valid_from = n.begins from {} n"
            " where n.is_earlier and v.{} = n.id and v.id = (select min(f.id) from {} f where f.{} = n.id)",
            version,
            name(told.stage),
            key,
            version,
            key,
        )
    )


async def _change_since(session: WriteSession, told: Told, telling: Telling) -> None:
    """Write dated values as changes at their date, but where the record began with them."""
    table, stage, since = name(told.table), name(told.stage), name(f"since_{telling.place}")
    due = Sql("t.id = n.id and n.{} and not (n.is_new and n.{} <= n.begins)", _dated(telling), since)
    same = Sql("{} and t.effective_at = n.{}", due, since)
    if not await _any(session, told, due):
        return
    if await _any(session, told, same):
        # History takes a new effective_at as the date of the change, and an unchanged one as "now": make it differ.
        await session.run(Sql("update {} t set effective_at = null from {} n where {}", table, stage, same))
    columns = [told.shape.column(each) for each in telling.values]
    assigned = [*_assigned(columns), Sql("effective_at = n.{}", since), *_bookkeeping(told)]
    await _plan_history_anew(session, told)
    await session.run(Sql("update {} t set {} from {} n where {}", table, join(", ", assigned), stage, due))


async def _change_now(session: WriteSession, told: Told) -> None:
    """Write values that differ from those of an earlier import; they hold from now."""
    assigned = [*_assigned(told.undated_columns), *_bookkeeping(told)]
    if told.shape.has_history:
        assigned += [Sql("effective_at = now()"), Sql("is_assumed = false")]
    same = join(" and ", (Sql("t.{} = n.{}", name(each), name(each)) for each in told.keys))
    due = Sql("{} and n.is_changed and not n.is_new", same)
    if await _any(session, told, due):
        await _plan_history_anew(session, told)
        changes = join(", ", assigned)
        await session.run(
            Sql("update {} t set {} from {} n where {}", name(told.table), changes, name(told.stage), due)
        )


async def _any(session: WriteSession, told: Told, due: Sql) -> bool:
    """Whether there is a record to change: an update of nothing runs the triggers all the same."""
    statement = Sql("select exists (select from {} t, {} n where {})", name(told.table), name(told.stage), due)
    return bool(await session.value(statement))


async def _plan_history_anew(session: WriteSession, told: Told) -> None:
    """Have PostgreSQL plan the history trigger for as many rows as come now.

    A trigger's statements keep the plan of their first run in the session. One made for a single row compares each of
    many changed rows with every other: measured, 63 s in place of 2 for 30,000. Fresh statistics drop it.
    """
    if told.shape.has_history:
        await session.run(Sql("analyze {}", name(version_name(told.table))))


def _assigned(columns: list[ColumnShape] | tuple[ColumnShape, ...]) -> list[Sql]:
    return [Sql("{} = n.{}", name(each.name), name(each.name)) for each in columns]


def _bookkeeping(told: Told) -> list[Sql]:
    """What every change of a record leaves beside its values."""
    there = {column.name for column in told.shape.columns}
    kept = {
        "updated_at": "updated_at = now()",
        "row_version": "row_version = t.row_version + (not n.is_new)::integer",
        "recorded_at": "recorded_at = now()",
    }
    return [Sql(text) for column, text in kept.items() if column in there]


def _dated(telling: Telling) -> Sql:
    return Sql("{}", name(f"dated_{telling.place}"))
