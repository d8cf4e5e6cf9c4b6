"""Writes the versions of records whose rows date their values; the history triggers rest meanwhile.

A dated value is a point on its record's timeline, and so is the end of a record that has a lifecycle (`LIFECYCLES`).

- From a column's first point on, the points give its values; a value holds until the next one.
- Before that, and for columns without points, the versions in the database give them.
- Records whose versions come out as they are in the database stay untouched.

Everything is one statement per step over all records of the table; temporary tables keep the steps apart, so that
PostgreSQL plans each with the row counts of the one before.
"""

from api.db import WriteSession
from api.intake.column_sql import default_of, sql_type
from api.intake.external_keys import external_key_join
from api.intake.merge import MergeTable, with_record_ids
from api.intake.staged import StagedRecords
from api.intake.survivor_links import linked_record
from api.sql import Sql, join, name
from schema.history import VERSION_COLUMNS, version_name
from schema.tables import METADATA

# Facts that an import corrects count as recorded then. Other rows count as recorded when they were first stored; of a
# reported stage, only the stage of the accord that it is mapped to is ever changed.
RECORDED_ANEW = frozenset({"touchpoint"})
_NEVER = Sql("'-infinity'::timestamptz")  # the start of a version that has always held; null in the table


async def write_history(session: WriteSession, merge: MergeTable) -> int:
    """Write the versions of the table's records. Returns how many records changed only by this."""
    points, present, timeline, affected = (
        name(f"{merge.stage}_{step}") for step in ("points", "present", "timeline", "affected")
    )
    # `_marked` joins by both columns.
    await session.run(Sql("create temporary table {} on commit drop as {}", points, _points(merge)))
    await session.run(Sql("create index on {} (id, moment)", points))
    await session.run(Sql("analyze {}", points))
    # A copy of the versions in question: during a first import, the table itself has no index (see `bulk_load`).
    await session.run(Sql("create temporary table {} on commit drop as {}", present, _present_versions(merge, points)))
    await session.run(Sql("create index on {} (id, starts)", present))
    await session.run(Sql("analyze {}", present))
    await session.run(
        Sql("create temporary table {} on commit drop as {}", timeline, _timeline(merge, points, present))
    )
    await session.run(Sql("create index on {} (id)", timeline))
    await session.run(
        Sql("create temporary table {} on commit drop as {}", affected, _affected(merge, timeline, present))
    )
    await session.run(Sql("analyze {}", affected))
    # Counted now: the records that `upsert` counted as unchanged, although their versions change.
    more = await session.value(
        Sql(
            "select count(*) from {} n join {} a on a.id = n.id where not (n.is_new or n.is_changed or n.is_earlier)",
            name(merge.stage),
            affected,
        )
    )
    # Otherwise the triggers would add a version of their own for the update of the records.
    await session.script("set local accord.history_is_given = on")
    await _write(session, merge, timeline, Sql("select id from {}", affected))
    await session.script("set local accord.history_is_given = off")
    return int(more)


def _points(merge: MergeTable) -> Sql:
    """One row per record and instant: the values that begin there, and for every column whether one does (`has_…`)."""
    rows = [_dated_rows(merge, records) for records in merge.dated_records]
    if merge.lifecycle is not None:
        rows.append(_ends(merge))
    selected = [Sql("p.id, p.moment, bool_or(p.row_rank >= 0) as is_recorded")]
    for column in merge.dated:
        value, has_value = name(column.name), name(f"has_{column.name}")
        selected.append(Sql("bool_or(p.{}) as {}", has_value, has_value))
        last = Sql(
            "(array_agg(p.{} order by p.row_rank desc, p.row_line desc) filter (where p.{}))[1]", value, has_value
        )
        selected.append(Sql("{} as {}", last, value))
    return Sql(
        "select {} from ({}) p group by p.id, p.moment",
        join(", ", selected),
        join(" union all ", rows),
    )


def _dated_rows(merge: MergeTable, records: StagedRecords) -> Sql:
    """The points that staged records bring, one per row."""
    selected = [Sql("i0.record_id as id, {} as moment", records.since or Sql("null"))]
    selected.append(Sql("{} as row_rank, line as row_line", Sql(str(records.rank))))
    found = with_record_ids(merge, records)
    for column in merge.dated:
        kind = sql_type(merge.table, column.name)
        value = records.values.get(column.name)
        lacks = records.lacks(column.name)
        has_value = Sql("false" if value is None else "true") if lacks is None else Sql("not {}", lacks)
        selected.append(Sql("{} as {}", has_value, name(f"has_{column.name}")))
        if value is not None and column.link is not None:
            alias = f"to_{column.name}"
            linked = external_key_join(alias, column.link.target, merge.source, value)
            found = Sql("{} left join {}", found, linked)
            value = linked_record(column.link.target, alias, Sql("i0.record_id"))
        default = default_of(merge.table, column.name)
        if value is not None and default is not None:
            value = Sql("coalesce({}, {})", value, default)
        selected.append(Sql("{} as {}", value or Sql(f"null::{kind}"), name(column.name)))
    is_dated = Sql("{} is not null", records.since or Sql("null"))
    return Sql("select {} from {} where {} and {}", join(", ", selected), found, records.holds, is_dated)


def _ends(merge: MergeTable) -> Sql:
    """The points at which records end by their closing date. Rank -1: a dated value of the same instant holds."""
    lifecycle = merge.lifecycle
    if lifecycle is None:
        raise TypeError(f"{merge.table} has no lifecycle")
    selected = [Sql("n.id, n.{} as moment, -1 as row_rank, 0::bigint as row_line", name(lifecycle.closed))]
    for column in merge.dated:
        is_set = Sql("true" if column.name in lifecycle.set_when_closed else "false")
        if column in merge.closing:
            is_set = Sql("n.{}", name(f"closes_{column.name}"))
        selected.append(Sql("{} as {}", is_set, name(f"has_{column.name}")))
        selected.append(Sql("case when {} then n.{} end as {}", is_set, name(column.name), name(column.name)))
    dated = Sql("n.{} is not null and n.{}", name(lifecycle.closed), name(f"dated_{lifecycle.closed}"))
    return Sql("select {} from {} n where {}", join(", ", selected), name(merge.stage), dated)


def _present_versions(merge: MergeTable, points: Sql) -> Sql:
    """The versions that these records have in the database, without those that were replaced at their own instant."""
    # `is not true`: the last version has no end, so the comparison is null.
    return Sql(
        "select v.{} as id, coalesce(v.valid_from, {}) as starts, v.valid_to as ends, v.recorded_at, v.is_assumed, {}"
        " from {} v where v.{} in (select id from {}) and (v.valid_from = v.valid_to) is not true",
        *(name(f"{merge.table}_id"), _NEVER, join(", ", map(name, versioned_columns(merge)))),
        *(name(version_name(merge.table)), name(f"{merge.table}_id"), points),
    )


def _timeline(merge: MergeTable, points: Sql, present: Sql) -> Sql:
    """Every version that the records shall have, with its end. Of equal versions in a row, the first stays.

    Steps: `moments` are all instants at which something may change; `marked` has the values that begin there, and
    numbers them; `carried` carries every value on to the next; `whole` fills the other columns from the version that
    held in the database (`b`); before a record's first version that is its first one, hence the order of the lateral.
    """
    kept = join(", ", (Sql("f.{}", name(column)) for column in versioned_columns(merge)))
    # The lateral costs one lookup by index for every moment. `row(…) is not distinct from` compares nulls as equal.
    return Sql(
        "with moments as (select id, moment from {} union select id, starts from {}), marked as ({}), carried as ({}),"
        " whole as ({} join lateral (select * from {} v where v.id = r.id order by v.starts <= r.moment desc,"
        " case when v.starts <= r.moment then v.starts end desc nulls last, v.starts limit 1) b on true),"
        " numbered as (select f.*, row({}) is not distinct from lag(row({})) over w as is_same, row_number() over w as"
        " nth from whole f window w as (partition by f.id order by f.moment))"
        " select *, lead(moment) over (partition by id order by moment) as ends from numbered"
        " where nth = 1 or not is_same",
        *(points, present, _marked(merge, points), _carried(merge), _whole(merge), present, kept, kept),
    )


def _marked(merge: MergeTable, points: Sql) -> Sql:
    """Every moment with the values that begin there, and for every column how many have begun by then (`run_…`).

    `recorded` is how many points of dated rows there were by then.
    """
    columns = [Sql("m.id, m.moment, count(*) filter (where c.is_recorded) over w as recorded")]
    for column in merge.dated:
        value, has_value = name(column.name), name(f"has_{column.name}")
        columns.append(Sql("c.{}, count(*) filter (where c.{}) over w as run_{}", value, has_value, value))
    return Sql(
        "select {} from moments m left join {} c on c.id = m.id and c.moment = m.moment"
        " window w as (partition by m.id order by m.moment)",
        join(", ", columns),
        points,
    )


def _carried(merge: MergeTable) -> Sql:
    """Every moment with the values that hold there: the first of each run, until the next run.

    PostgreSQL has no `last_value … ignore nulls`, and null is a value here; counting runs replaces it in one pass.
    """
    columns = [Sql("m.id, m.moment, m.recorded")]
    for column in merge.dated:
        it = name(column.name)
        value = "m.run_{}, first_value(m.{}) over (partition by m.id, m.run_{} order by m.moment) as {}"
        columns.append(Sql(value, it, it, it, it))
    return Sql("select {} from marked m", join(", ", columns))


def _whole(merge: MergeTable) -> Sql:
    """Every moment with all versioned columns: from the points if there is one by then, else from version `b`.

    A version that stays as it is keeps the instant at which it was recorded, and its assumption. So does one that the
    end of its record cuts: the source said nothing else of its other values.
    """
    dated = {column.name for column in merge.dated}
    values = {
        column: Sql("case when r.run_{} > 0 then r.{} else b.{} end", name(column), name(column), name(column))
        if column in dated
        else Sql("b.{}", name(column))
        for column in versioned_columns(merge)
    }
    merged = join(", ", values.values())
    present = join(", ", (Sql("b.{}", name(column)) for column in values))
    is_kept = Sql("b.starts = r.moment and row({}) is not distinct from row({})", merged, present)
    return Sql(
        "select r.id, r.moment, {}, case when {} then b.recorded_at else now() end as recorded_at,"
        " b.is_assumed and ({} or r.recorded = 0) as is_assumed from carried r",
        join(", ", (Sql("{} as {}", value, name(column)) for column, value in values.items())),
        is_kept,
        is_kept,
    )


def _affected(merge: MergeTable, timeline: Sql, present: Sql) -> Sql:
    """The records whose versions differ from those in the database, either way."""
    kept = join(", ", map(name, versioned_columns(merge)))
    # EXCEPT, unlike a join, compares nulls as equal.
    wanted = Sql("select id, moment as starts, ends, {} from {}", kept, timeline)
    found = Sql("select id, starts, ends, {} from {}", kept, present)
    return Sql(
        "select id from (({} except {}) union ({} except {})) differing group by id", wanted, found, found, wanted
    )


async def _write(session: WriteSession, merge: MergeTable, timeline: Sql, affected: Sql) -> None:
    """Replace the versions of the affected records, and set the records to their last one."""
    version, key = name(version_name(merge.table)), name(f"{merge.table}_id")
    kept = join(", ", map(name, versioned_columns(merge)))
    # Equal versions of an affected record are replaced too, so that ids rise with time.
    await session.run(
        Sql("delete from {} v where v.{} in ({}) and (v.valid_from = v.valid_to) is not true", version, key, affected)
    )
    await session.run(
        Sql(
            "insert into {} ({}, valid_from, valid_to, recorded_at, is_assumed, {})"
            " select id, nullif(moment, {}), ends, recorded_at, is_assumed, {} from {} where id in ({})"
            " order by id, moment",
            *(version, key, kept, _NEVER, kept, timeline, affected),
        )
    )
    assigned = [
        Sql("{} = case when n.{} then n.{} else t.{} end", it, name(f"dated_{column.name}"), it, it)
        for column in merge.dated
        for it in (name(column.name),)
    ]
    assigned.append(Sql("effective_at = nullif(l.moment, {})", _NEVER))
    await session.run(
        Sql(
            "update {} t set {} from {} n join {} l on l.id = n.id and l.ends is null"
            " where t.id = n.id and n.id in ({})",
            name(merge.table),
            join(", ", (*assigned, *bookkeeping(merge))),
            name(merge.stage),
            timeline,
            affected,
        )
    )


def versioned_columns(merge: MergeTable) -> tuple[str, ...]:
    """The columns that the table's versions have beside their own bookkeeping."""
    own = {f"{merge.table}_id", *VERSION_COLUMNS}
    return tuple(column.name for column in METADATA.tables[version_name(merge.table)].columns if column.name not in own)


def bookkeeping(merge: MergeTable) -> list[Sql]:
    """The assignments that go with every update of a record (`t`)."""
    columns = {column.name for column in merge.shape.columns}
    assigned = {
        "updated_at": "updated_at = now()",
        "row_version": "row_version = t.row_version + (not n.is_new)::integer",
    }
    if merge.table in RECORDED_ANEW:
        assigned["recorded_at"] = "recorded_at = now()"
    if any(column.name == "decided_at" for column in merge.changeable):
        assigned["decision_recorded_at"] = (
            "decision_recorded_at = case when t.decided_at is distinct from n.decided_at then now()"
            " else t.decision_recorded_at end"
        )
    return [Sql(text) for column, text in assigned.items() if column in columns]
