"""What all rows together tell of each record of a table, beside what the database has: one temporary table per table.

Its rows are the records, with the values that they shall have, `is_new`, `is_changed` (an undated value differs),
`is_earlier` (the record began before the assumed beginning we have), and for each dated telling `since_…` and `dated_…`
(a value of it differs).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from api.db import WriteSession
from api.importers.plan import StagedFile, Telling, default_of, sql_type
from api.sql import Sql, join, name
from schema.base import ColumnShape, TableShape
from schema.history import version_name
from schema.tables import METADATA, SHAPES


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that the rows tell of one table."""

    table: str
    origin: str
    tellings: tuple[Telling, ...]

    @property
    def shape(self) -> TableShape:
        """The table's declaration."""
        return SHAPES[self.table]

    @property
    def stage(self) -> str:
        """The temporary table of the records."""
        return f"import_{self.table}"

    @property
    def columns(self) -> tuple[ColumnShape, ...]:
        """The columns that the rows fill."""
        names = dict.fromkeys(name for telling in self.tellings for name in telling.values)
        return tuple(self.shape.column(each) for each in names)

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of the primary key."""
        return tuple(column.name for column in self.shape.columns if column.is_key)

    @property
    def has_id(self) -> bool:
        """Whether the records have an identity of their own."""
        return "id" in self.keys

    @property
    def dated(self) -> tuple[Telling, ...]:
        """The tellings whose values hold since a date."""
        return tuple(each for each in self.tellings if each.record.since is not None)

    @property
    def undated_columns(self) -> tuple[ColumnShape, ...]:
        """The columns that no dated telling fills, and whose values may change."""
        taken = {name for each in self.dated for name in each.values}
        return tuple(each for each in self.columns if each.name not in taken and not each.is_key)


def by_table(files: Sequence[StagedFile], origin: str) -> tuple[Told, ...]:
    """What is told of each table, in an order in which links find their targets."""
    tellings = [telling for file in files for telling in file.tellings]
    tables = {each.record.table for each in tellings}
    return tuple(
        Told(str(built.name), origin, tuple(each for each in tellings if each.record.table == built.name))
        for built in METADATA.sorted_tables
        if built.name in tables
    )


async def compare(session: WriteSession, told: Told) -> None:
    """Fill the temporary table of a table's records."""
    columns = ["id uuid"] if told.has_id else []
    columns += [f"{column.name} {sql_type(told.table, column.name)}" for column in told.columns]
    columns += ["begins timestamptz", "is_new boolean", "is_changed boolean", "is_earlier boolean"]
    for each in told.dated:
        columns += [f"since_{each.place} timestamptz", f"dated_{each.place} boolean"]
    await session.script(f"create temporary table {told.stage} ({', '.join(columns)}) on commit drop")
    await session.run(Sql("insert into {} {}", name(told.stage), _comparison(told)))
    await session.script(f"analyze {told.stage}")


def _comparison(told: Told) -> Sql:
    """One row per record: the values it shall have, and how they differ from those it has."""
    values = {column.name: _value(told, column) for column in told.columns}
    selected = [Sql("k.record_id")] if told.has_id else []
    selected += values.values()
    selected += [
        Sql("g.begins"),
        Sql("t.{} is null", name(told.keys[0])),
        _differs(values, [column.name for column in told.undated_columns]),
        Sql("coalesce(v.is_assumed and g.begins < coalesce(v.valid_from, v.recorded_at), false)")
        if told.shape.has_history
        else Sql("false"),
    ]
    for each in told.dated:
        selected += [Sql("g.{}", name(f"since_{each.place}")), _differs(values, list(each.values))]
    return Sql("select {} from ({}) g {}", join(", ", selected), _grouped(told), join(" ", _joins(told, values)))


def _value(told: Told, column: ColumnShape) -> Sql:
    """What a column shall hold: the last word of the rows; what it holds, where they say nothing."""
    word = Sql("g.{}[1]", name(column.name))
    if column.link is not None:
        word = Sql("{}.record_id", name(f"to_{column.name}"))
    default = default_of(told.table, column.name)
    if default is not None:
        word = Sql("coalesce({}, {})", word, default)
    if column.is_key:
        return word
    return Sql("case when g.{} is null then t.{} else {} end", name(column.name), name(column.name), word)


def _differs(values: dict[str, Sql], names: list[str]) -> Sql:
    if not names:
        return Sql("false")
    ours = join(", ", (Sql("t.{}", name(each)) for each in names))
    return Sql("row({}) is distinct from row({})", join(", ", (values[each] for each in names)), ours)


def _joins(told: Told, values: dict[str, Sql]) -> Iterator[Sql]:
    """The records' identities, those of what they link to, and the records as they are."""
    key = "{} external_key {} on {}.entity = {} and {}.source = {} and {}.external_id = {}"
    if told.has_id:
        k = name("k")
        yield Sql(key, Sql("join"), k, k, told.table, k, told.origin, k, Sql("g.key_0"))
    for column in told.columns:
        if column.link is not None:
            to = name(f"to_{column.name}")
            word = Sql("g.{}[1]", name(column.name))
            yield Sql(key, Sql("left join"), to, to, column.link.target, to, told.origin, to, word)
    present = [Sql("t.{} = {}", name(each), Sql("k.record_id") if each == "id" else values[each]) for each in told.keys]
    yield Sql("left join {} t on {}", name(told.table), join(" and ", present))
    if told.shape.has_history:
        yield Sql(
            "left join lateral (select * from {} h where h.{} = t.id order by h.id limit 1) v on true",
            name(version_name(told.table)),
            name(f"{told.table}_id"),
        )


def _grouped(told: Told) -> Sql:
    """One row per record: for each column the words on it, the last first; null where no row has a word on it."""
    keys = [name(f"key_{place}") for place in range(len(told.tellings[0].identity))]
    selected = [*keys, Sql("min(moment) as begins")]
    for column in told.columns:
        tellers = join(", ", (Sql(str(each.place)) for each in told.tellings if column.name in each.values))
        is_dated = any(column.name in each.values for each in told.dated)
        last = Sql("moment desc nulls last, line desc" if is_dated else "place desc, line desc")
        words = Sql("array_agg({} order by {}) filter (where place in ({}))", name(column.name), last, tellers)
        selected.append(Sql("{} as {}", words, name(column.name)))
    for each in told.dated:
        since = name(f"since_{each.place}")
        selected.append(Sql("max(moment) filter (where place = {}) as {}", Sql(str(each.place)), since))
    rows = join(" union all ", (_rows(told, each) for each in told.tellings))
    return Sql("select {} from ({}) told group by {}", join(", ", selected), rows, join(", ", keys))


def _rows(told: Told, telling: Telling) -> Sql:
    """The rows of one telling, in columns that all tellings of the table share."""
    selected = [Sql("{} as place, line", Sql(str(telling.place)))]
    selected += [Sql("{} as {}", each, name(f"key_{place}")) for place, each in enumerate(telling.identity)]
    moment = Sql("null::timestamptz") if telling.moment is None else name(telling.moment)
    selected.append(Sql("{} as moment", moment))
    for column in told.columns:
        kind = "text" if column.link is not None else sql_type(told.table, column.name)
        value = telling.values.get(column.name, Sql(f"null::{kind}"))
        selected.append(Sql("{} as {}", value, name(column.name)))
    present = join(" and ", (Sql("{} is not null", each) for each in telling.identity))
    return Sql("select {} from {} where {}", join(", ", selected), name(telling.stage), present)
