"""The history that the rows themselves tell: versions written at the dates they have, instead of by the triggers.

Each dated value is a point on its record's line of time; where a record's own dates tell its end (`LIVES`), so is that.
Between two points, and for columns without dates, the versions that are there already say what held. From a column's
first point on, the points alone do. Records whose versions come out as they are stay untouched.
"""

from api.db import WriteSession
from api.importers.plan import Telling
from api.intake.column_sql import default_of, sql_type
from api.intake.merge import Told, identified
from api.sql import Sql, join, name
from schema.history import VERSION_COLUMNS, version_name
from schema.tables import METADATA

_NEVER = Sql("'-infinity'::timestamptz")


async def write_history(session: WriteSession, told: Told) -> int:
    """Write the versions of the table's records; how many of them changed by it that were unchanged before."""
    points, there, line, affected = (name(f"{told.stage}_{each}") for each in ("point", "there", "line", "affected"))
    await session.run(Sql("create temporary table {} on commit drop as {}", points, _points(told)))
    await session.run(Sql("create index on {} (id, moment)", points))
    await session.run(Sql("analyze {}", points))
    # A copy of the versions in question has the index that is needed, whatever indexes the table has at the moment.
    await session.run(Sql("create temporary table {} on commit drop as {}", there, _there(told, points)))
    await session.run(Sql("create index on {} (id, starts)", there))
    await session.run(Sql("analyze {}", there))
    await session.run(Sql("create temporary table {} on commit drop as {}", line, _line(told, points, there)))
    await session.run(Sql("create index on {} (id)", line))
    await session.run(Sql("create temporary table {} on commit drop as {}", affected, _affected(told, line, there)))
    await session.run(Sql("analyze {}", affected))
    more = await session.value(
        Sql(
            "select count(*) from {} n join {} a on a.id = n.id where not (n.is_new or n.is_changed or n.is_earlier)",
            name(told.stage),
            affected,
        )
    )
    await session.script("set local accord.history_is_given = on")
    await _write(session, told, line, Sql("select id from {}", affected))
    await session.script("set local accord.history_is_given = off")
    return int(more)


def _points(told: Told) -> Sql:
    """One row per record and moment: which columns are told there, and what."""
    rows = [_dated_rows(told, each) for each in told.histories]
    if told.life is not None:
        rows.append(_ends(told))
    selected = [Sql("p.id, p.moment")]
    for column in told.dated:
        it, is_told = name(column.name), name(f"told_{column.name}")
        selected.append(Sql("bool_or(p.{}) as {}", is_told, is_told))
        value = Sql("(array_agg(p.{} order by p.place desc, p.line desc) filter (where p.{}))[1]", it, is_told)
        selected.append(Sql("{} as {}", value, it))
    return Sql(
        "select {} from ({}) p group by p.id, p.moment",
        join(", ", selected),
        join(" union all ", rows),
    )


def _dated_rows(told: Told, telling: Telling) -> Sql:
    """The points of one telling."""
    selected = [Sql("i0.record_id as id, {} as moment", telling.since or Sql("null"))]
    selected.append(Sql("{} as place, line", Sql(str(telling.place))))
    found = identified(told, telling)
    for column in told.dated:
        kind = sql_type(told.table, column.name)
        value = telling.values.get(column.name)
        selected.append(Sql("{} as {}", Sql("false" if value is None else "true"), name(f"told_{column.name}")))
        if value is not None and column.link is not None:
            to = name(f"to_{column.name}")
            found = Sql(
                "{} left join external_key {} on {}.entity = {} and {}.source = {} and {}.external_id = {}",
                found,
                *(to, to, column.link.target, to, told.origin, to, value),
            )
            value = Sql("{}.record_id", to)
        default = default_of(told.table, column.name)
        if value is not None and default is not None:
            value = Sql("coalesce({}, {})", value, default)
        selected.append(Sql("{} as {}", value or Sql(f"null::{kind}"), name(column.name)))
    return Sql("select {} from {} where {}", join(", ", selected), found, telling.told)


def _ends(told: Told) -> Sql:
    """The points at which records end by their own dates."""
    life = told.life
    if life is None:
        raise TypeError(f"a {told.table} has no dates that tell its life")
    selected = [Sql("n.id, n.{} as moment, -1 as place, 0::bigint as line", name(life.closes))]
    for column in told.dated:
        is_end = column.name in life.ends
        kind = sql_type(told.table, column.name)
        selected.append(Sql("{} as {}", Sql("true" if is_end else "false"), name(f"told_{column.name}")))
        value = Sql("n.{}", name(column.name)) if is_end else Sql(f"null::{kind}")
        selected.append(Sql("{} as {}", value, name(column.name)))
    dated = Sql("n.{} is not null and n.{}", name(life.closes), name(f"dated_{life.closes}"))
    return Sql("select {} from {} n where {}", join(", ", selected), name(told.stage), dated)


def _there(told: Told, points: Sql) -> Sql:
    """The versions that the records have, but for those that were replaced at their own instant."""
    return Sql(
        "select v.{} as id, coalesce(v.valid_from, {}) as starts, v.valid_to as ends, v.recorded_at, v.is_assumed, {}"
        " from {} v where v.{} in (select id from {}) and (v.valid_from = v.valid_to) is not true",
        *(name(f"{told.table}_id"), _NEVER, join(", ", map(name, kept_names(told)))),
        *(name(version_name(told.table)), name(f"{told.table}_id"), points),
    )


def _line(told: Told, points: Sql, there: Sql) -> Sql:
    """Every version that the records shall have, with its end; of two alike in a row, the first."""
    kept = join(", ", (Sql("f.{}", name(each)) for each in kept_names(told)))
    return Sql(
        "with moments as (select id, moment from {} union select id, starts from {}), marked as ({}), carried as ({}),"
        " whole as ({} join lateral (select * from {} v where v.id = r.id order by v.starts <= r.moment desc,"
        " case when v.starts <= r.moment then v.starts end desc nulls last, v.starts limit 1) b on true),"
        " told as (select f.*, row({}) is not distinct from lag(row({})) over w as is_same, row_number() over w as nth"
        " from whole f window w as (partition by f.id order by f.moment))"
        " select *, lead(moment) over (partition by id order by moment) as ends from told where nth = 1 or not is_same",
        *(points, there, _marked(told, points), _carried(told), _whole(told), there, kept, kept),
    )


def _marked(told: Told, points: Sql) -> Sql:
    """Each moment with what is told there, and how often a column has been told by then."""
    columns = [Sql("m.id, m.moment")]
    for each in told.dated:
        it, is_told = name(each.name), name(f"told_{each.name}")
        columns.append(Sql("c.{}, count(*) filter (where c.{}) over w as run_{}", it, is_told, it))
    return Sql(
        "select {} from moments m left join {} c on c.id = m.id and c.moment = m.moment"
        " window w as (partition by m.id order by m.moment)",
        join(", ", columns),
        points,
    )


def _carried(told: Told) -> Sql:
    """What was told last holds until it is told again."""
    columns = [Sql("m.id, m.moment")]
    for each in told.dated:
        it = name(each.name)
        value = "m.run_{}, first_value(m.{}) over (partition by m.id, m.run_{} order by m.moment) as {}"
        columns.append(Sql(value, it, it, it, it))
    return Sql("select {} from marked m", join(", ", columns))


def _whole(told: Told) -> Sql:
    """Each moment with every column: told by a point up to then, or by the version that is there (`b`)."""
    dated = {each.name for each in told.dated}
    values = {
        each: Sql("case when r.run_{} > 0 then r.{} else b.{} end", name(each), name(each), name(each))
        if each in dated
        else Sql("b.{}", name(each))
        for each in kept_names(told)
    }
    theirs = join(", ", values.values())
    ours = join(", ", (Sql("b.{}", name(each)) for each in values))
    known = Sql("b.starts = r.moment and row({}) is not distinct from row({})", theirs, ours)
    return Sql(
        "select r.id, r.moment, {}, case when {} then b.recorded_at else now() end as recorded_at,"
        " case when {} then b.is_assumed else false end as is_assumed from carried r",
        join(", ", (Sql("{} as {}", value, name(each)) for each, value in values.items())),
        known,
        known,
    )


def _affected(told: Told, line: Sql, there: Sql) -> Sql:
    """The records whose versions are not as they shall be."""
    kept = join(", ", map(name, kept_names(told)))
    shall = Sql("select id, moment as starts, ends, {} from {}", kept, line)
    are = Sql("select id, starts, ends, {} from {}", kept, there)
    return Sql("select id from (({} except {}) union ({} except {})) differing group by id", shall, are, are, shall)


async def _write(session: WriteSession, told: Told, line: Sql, affected: Sql) -> None:
    version, key = name(version_name(told.table)), name(f"{told.table}_id")
    kept = join(", ", map(name, kept_names(told)))
    await session.run(
        Sql("delete from {} v where v.{} in ({}) and (v.valid_from = v.valid_to) is not true", version, key, affected)
    )
    await session.run(
        Sql(
            "insert into {} ({}, valid_from, valid_to, recorded_at, is_assumed, {})"
            " select id, nullif(moment, {}), ends, recorded_at, is_assumed, {} from {} where id in ({})"
            " order by id, moment",
            *(version, key, kept, _NEVER, kept, line, affected),
        )
    )
    assigned = [
        Sql("{} = case when n.{} then n.{} else t.{} end", it, name(f"dated_{each.name}"), it, it)
        for each in told.dated
        for it in (name(each.name),)
    ]
    assigned.append(Sql("effective_at = nullif(l.moment, {})", _NEVER))
    await session.run(
        Sql(
            "update {} t set {} from {} n join {} l on l.id = n.id and l.ends is null"
            " where t.id = n.id and n.id in ({})",
            name(told.table),
            join(", ", (*assigned, *bookkeeping(told))),
            name(told.stage),
            line,
            affected,
        )
    )


def kept_names(told: Told) -> tuple[str, ...]:
    """The columns whose history is kept."""
    ours = {f"{told.table}_id", *VERSION_COLUMNS}
    return tuple(each.name for each in METADATA.tables[version_name(told.table)].columns if each.name not in ours)


def bookkeeping(told: Told) -> list[Sql]:
    """What every change of a record leaves beside its values."""
    there = {column.name for column in told.shape.columns}
    kept = {
        "updated_at": "updated_at = now()",
        "row_version": "row_version = t.row_version + (not n.is_new)::integer",
        "recorded_at": "recorded_at = now()",
    }
    return [Sql(text) for column, text in kept.items() if column in there]
