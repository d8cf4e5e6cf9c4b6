"""What all rows together tell of each record of a table, beside what the database has: one temporary table per table.

Its rows are the records, with the values that they shall have, `is_new`, `is_changed` (a value that no history dates
differs), `is_earlier` (the record began before the assumed beginning we have), and for each column that rows may date
`dated_…`: they do so for this record.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from api.db import WriteSession
from api.importers.plan import StagedFile, Telling
from api.intake.column_sql import default_of, sql_type
from api.sql import Sql, join, name
from schema.base import ColumnShape, TableShape
from schema.history import version_name
from schema.tables import METADATA, SHAPES

_NOT_IN_HISTORY = frozenset({"deleted_at"})


@dataclass(frozen=True, slots=True)
class Life:
    """What a record's own dates say of its history: when it began, and what holds only since its end."""

    opens: str
    closes: str
    ends: tuple[str, ...]


# A deal is open until it is closed, whatever the source's way to tell it.
LIVES = {"deal": Life("opened_at", "closed_at", ("outcome", "closed_at", "lost_reason"))}


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
    def life(self) -> Life | None:
        """The dates that tell the history of such records, where the rows tell them."""
        life, told = LIVES.get(self.table), {each.name for each in self.columns}
        return life if life is not None and {life.closes, *life.ends[:1]} <= told else None

    @property
    def histories(self) -> tuple[Telling, ...]:
        """The tellings whose values hold since a date."""
        return tuple(each for each in self.tellings if each.since is not None)

    @property
    def dated(self) -> tuple[ColumnShape, ...]:
        """The columns whose values rows may date."""
        names = {name for each in self.histories for name in each.values} - _NOT_IN_HISTORY
        names |= set(self.life.ends) if self.life else set()
        return tuple(each for each in self.columns if each.name in names)

    @property
    def changeable(self) -> tuple[ColumnShape, ...]:
        """The columns whose values may change."""
        return tuple(each for each in self.columns if not each.is_key)


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
    columns += [f"dated_{each.name} boolean" for each in told.dated]
    await session.script(f"create temporary table {told.stage} ({', '.join(columns)}) on commit drop")
    await session.run(Sql("insert into {} {}", name(told.stage), _comparison(told)))
    await session.script(f"analyze {told.stage}")


async def silent_rows(session: WriteSession, file: StagedFile) -> int:
    """How many of the rows tell of no record; of files that others look into, none are expected to."""
    if not file.tellings or any(each.holds is None and each.items is None for each in file.tellings):
        return 0
    told = join(" union all ", (Sql("select line from {} where {}", each.rows, each.told) for each in file.tellings))
    return int(
        await session.value(
            Sql("select (select count(*) from {}) - count(distinct line) from ({}) told", name(file.stage), told)
        )
    )


def undated(told: Told, column: ColumnShape, dated: Sql, value: Sql) -> Sql:
    """What a column of the record as it is shall hold, where its history does not say it."""
    if column not in told.dated:
        return value
    return Sql("case when {} then t.{} else {} end", dated, name(column.name), value)


def identified(told: Told, telling: Telling) -> Sql:
    """The rows of a telling, each with the record that it tells of: `id_0`, or the records that tell it apart."""
    targets = [told.table] if told.has_id else [_target(told, each) for each in told.keys]
    found = telling.rows
    for place, (target, key) in enumerate(zip(targets, telling.identity, strict=True)):
        found = Sql(
            "{} join external_key i{} on i{}.entity = {} and i{}.source = {} and i{}.external_id = {}",
            found,
            *(Sql(str(place)), Sql(str(place)), target, Sql(str(place)), told.origin, Sql(str(place)), key),
        )
    return found


def _target(told: Told, column: str) -> str:
    link = told.shape.column(column).link
    if link is None:
        raise TypeError(f"{told.table}.{column} is a key that links nothing")
    return link.target


def _comparison(told: Told) -> Sql:
    """One row per record: the values it shall have, and how they differ from those it has."""
    values = {column.name: _value(told, column) for column in told.columns}
    selected = [Sql("g.id_0")] if told.has_id else []
    selected += values.values()
    selected += [
        Sql("g.begins"),
        Sql("t.{} is null", name(told.keys[0])),
        _differs(told, values),
        Sql("coalesce(v.is_assumed and g.begins < coalesce(v.valid_from, v.recorded_at), false)")
        if told.shape.has_history
        else Sql("false"),
    ]
    selected += [_is_dated(told, each) for each in told.dated]
    return Sql("select {} from ({}) g {}", join(", ", selected), _grouped(told), join(" ", _joins(told, values)))


def _value(told: Told, column: ColumnShape) -> Sql:
    """What a column shall hold: the last word of the rows; what it holds, where they say nothing."""
    word = Sql("g.{}[1]", name(column.name))
    if column.link is not None:
        word = Sql("{}.record_id", name(f"to_{column.name}"))
    default, ours = default_of(told.table, column.name), Sql("t.{}", name(column.name))
    if default is not None:
        word, ours = Sql("coalesce({}, {})", word, default), Sql("coalesce({}, {})", ours, default)
    if column.is_key:
        return word
    return Sql("case when g.{} is null then {} else {} end", name(column.name), ours, word)


def _is_dated(told: Told, column: ColumnShape) -> Sql:
    """Whether a date comes with the column's value."""
    says = [Sql("false")]
    if any(column.name in each.values for each in told.histories):
        says.append(Sql("coalesce(g.{}, false)", name(f"dated_{column.name}")))
    if told.life is not None and column.name in told.life.ends:
        says.append(Sql("g.{}[1] is not null", name(told.life.closes)))
    return Sql("({})", join(" or ", says))


def _differs(told: Told, values: dict[str, Sql]) -> Sql:
    if not told.changeable:
        return Sql("false")
    ours = join(", ", (Sql("t.{}", name(each.name)) for each in told.changeable))
    theirs = join(
        ", ",
        (
            undated(told, each, _is_dated(told, each), values[each.name]) if each in told.dated else values[each.name]
            for each in told.changeable
        ),
    )
    return Sql("row({}) is distinct from row({})", theirs, ours)


def _joins(told: Told, values: dict[str, Sql]) -> Iterator[Sql]:
    """The records that are linked to, and the records as they are."""
    for column in told.columns:
        if column.link is not None:
            to = name(f"to_{column.name}")
            word = Sql("g.{}[1]", name(column.name))
            key = "left join external_key {} on {}.entity = {} and {}.source = {} and {}.external_id = {}"
            yield Sql(key, to, to, column.link.target, to, told.origin, to, word)
    present = [Sql("t.{} = {}", name(each), Sql("g.id_0") if each == "id" else values[each]) for each in told.keys]
    yield Sql("left join {} t on {}", name(told.table), join(" and ", present))
    if told.shape.has_history:
        yield Sql(
            "left join lateral (select * from {} h where h.{} = t.id order by h.id limit 1) v on true",
            name(version_name(told.table)),
            name(f"{told.table}_id"),
        )


def _grouped(told: Told) -> Sql:
    """One row per record: for each column the words on it, the last first; null where no row has a word on it."""
    keys = [name(f"id_{place}") for place in range(len(told.tellings[0].identity))]
    selected = [*keys, Sql("min(begins) as begins")]
    for column in told.columns:
        tellers = join(", ", (Sql(str(each.place)) for each in told.tellings if column.name in each.values))
        # A word with a date holds before one without; of two that are the same day's, the later row's.
        last = Sql("since desc nulls last, place desc, line desc")
        words = Sql("array_agg({} order by {}) filter (where place in ({}))", name(column.name), last, tellers)
        selected.append(Sql("{} as {}", words, name(column.name)))
        daters = [Sql(str(each.place)) for each in told.histories if column.name in each.values]
        if daters and column in told.dated:
            dated = Sql("bool_or(true) filter (where place in ({}))", join(", ", daters))
            selected.append(Sql("{} as {}", dated, name(f"dated_{column.name}")))
    rows = join(" union all ", (_rows(told, each) for each in told.tellings))
    return Sql("select {} from ({}) told group by {}", join(", ", selected), rows, join(", ", keys))


def _rows(told: Told, telling: Telling) -> Sql:
    """The rows of one telling, in columns that all tellings of the table share."""
    selected = [Sql("{} as place, line", Sql(str(telling.place)))]
    places = [Sql(str(place)) for place in range(len(telling.identity))]
    selected += [Sql("i{}.record_id as id_{}", place, place) for place in places]
    selected += [Sql("{} as begins", _begins(told, telling)), Sql("{} as since", telling.since or _NO_INSTANT)]
    for column in told.columns:
        kind = "text" if column.link is not None else sql_type(told.table, column.name)
        value = telling.values.get(column.name, Sql(f"null::{kind}"))
        selected.append(Sql("{} as {}", value, name(column.name)))
    return Sql("select {} from {} where {}", join(", ", selected), identified(told, telling), telling.told)


_NO_INSTANT = Sql("null::timestamptz")


def _begins(told: Told, telling: Telling) -> Sql:
    """The earliest date that the row has for the record: it existed by then."""
    dates = [each for each in (telling.begins, telling.since) if each is not None]
    if told.life is not None:
        dates += [telling.values[each] for each in (told.life.opens, told.life.closes) if each in telling.values]
    return Sql("least({})", join(", ", dates)) if dates else _NO_INSTANT
