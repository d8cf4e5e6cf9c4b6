"""The difference between what the rows tell and what the database has, written to the records; triggers keep history.

A new record begins at its earliest dated fact, its values being assumed since then (`is_assumed`) where the source has
no history of them. A value that differs from an earlier import's holds from now. Dated values: see timeline.py.
"""

from dataclasses import dataclass, replace

from api.db import WriteSession
from api.intake.column_sql import default_of
from api.intake.dated_history import bookkeeping, write_history
from api.intake.merge import Told, undated
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
    if tally.changed and told.changeable:
        await _change_now(session, told)
    if told.dated:
        more = await write_history(session, told)
        tally = replace(tally, changed=tally.changed + more, unchanged=tally.unchanged - more)
    return tally


async def _tally(session: WriteSession, told: Told) -> Tally:
    row = await session.row(
        Sql(
            "select count(*) filter (where is_new) as created,"
            " count(*) filter (where not is_new and (is_changed or is_earlier)) as changed, count(*) as told from {}",
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
    """What a column holds when its record begins: a value with a date of its own is not known yet."""
    value = Sql("n.{}", name(column.name))
    before = default_of(told.table, column.name) or Sql("null")
    if column not in told.dated or (not column.is_nullable and not column.has_default):
        return value
    return Sql("case when n.{} then {} else {} end", name(f"dated_{column.name}"), before, value)


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


async def _change_now(session: WriteSession, told: Told) -> None:
    """Write values that differ from those of an earlier import; they hold from now."""
    assigned = [
        Sql(
            "{} = {}",
            name(each.name),
            undated(told, each, Sql("n.{}", name(f"dated_{each.name}")), Sql("n.{}", name(each.name)))
            if each in told.dated
            else Sql("n.{}", name(each.name)),
        )
        for each in told.changeable
    ]
    assigned += bookkeeping(told)
    if told.shape.has_history:
        assigned += [Sql("effective_at = now()"), Sql("is_assumed = false")]
    same = join(" and ", (Sql("t.{} = n.{}", name(each), name(each)) for each in told.keys))
    due = Sql("{} and n.is_changed and not n.is_new", same)
    # An update of nothing runs the triggers all the same.
    found = Sql("select exists (select from {} t, {} n where {})", name(told.table), name(told.stage), due)
    if await session.value(found):
        await _plan_history_anew(session, told)
        changes = join(", ", assigned)
        await session.run(
            Sql("update {} t set {} from {} n where {}", name(told.table), changes, name(told.stage), due)
        )


async def _plan_history_anew(session: WriteSession, told: Told) -> None:
    """Have PostgreSQL plan the history trigger for as many rows as come now.

    A trigger's statements keep the plan of their first run in the session. One made for a single row compares each of
    many changed rows with every other: measured, 63 s in place of 2 for 30,000. Fresh statistics drop it.
    """
    if told.shape.has_history:
        await session.run(Sql("analyze {}", name(version_name(told.table))))
