"""The figures of all rows of a list, together or in groups: computed in one pass, then laid out as it was asked.

A summary is written from the inside out: `select` what was asked of each computed row, from the rows computed. So what
is asked names its figures first (`figure`, `amounts`, `key`), and `source` then computes these and no others. Money is
computed for each group as a whole and for each of its currencies, by grouping sets: the rows are read once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from api.access.scoped_tables import of
from api.plan.aggregate_functions import figure_over, only_currency
from api.plan.composite_fields import chosen, typename
from api.plan.date_buckets import first_day
from api.plan.json_objects import NO_SOURCE, each_row
from api.plan.json_values import column_as_json
from api.plan.list_rows import Rows
from api.plan.selection import Aggregate, Figure, Figures, FigureValue, GroupKey, Member, Typename
from api.sql import Sql, all_of, join, name
from schema.base import ColumnShape
from schema.tables import SHAPES


@dataclass(frozen=True, slots=True)
class Summary:
    """The rows of a list on their way to figures."""

    rows: Rows
    keys: tuple[GroupKey, ...]
    row: str  # the name of a row that is computed from
    whole: str  # the name of a computed row: a group, or all
    part: str  # the name of one before amounts are put together: also a group's part in one currency
    _computed: dict[Sql, str] = field(default_factory=dict)
    _currencies: list[str] = field(default_factory=list)
    _amounts: dict[tuple[Figure, tuple[Member | Typename, ...]], str] = field(default_factory=dict)
    _links: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Rows, keys: tuple[GroupKey, ...] = ()) -> "Summary":
        """Begin a summary of all rows together, or in groups."""
        return cls(rows, keys, rows.alias, f"{rows.alias}_figures", f"{rows.alias}_parts")

    # ------------------------------------------------------------------------------------------ what is asked of it

    def laid_out(self, parts: Iterable[FigureValue | Figures | Typename]) -> list[tuple[str, Sql]]:
        """Figures under their keys, those of one function in an object of their own."""
        return [(each.key, self._laid(each)) for each in parts]

    def aggregate(self, asked: Aggregate) -> Sql:
        """An object of figures."""
        return Sql("({})", each_row(self.laid_out(asked.parts), NO_SOURCE))

    def figure(self, figure: Figure) -> Sql:
        """One figure as a value to compare and sort by. Of money: null where it is of several currencies."""
        return self._compute(self._comparable(figure))

    def currency(self, figure: Figure) -> Sql | None:
        """The one currency of a figure of money, null where there are several or none; None for no money."""
        column = self._column(figure)
        if column is None or not _is_money(figure, column):
            return None
        is_one, currency = only_currency(self.row, column)
        return self._compute(Sql("case when {} then {} end", is_one, currency))

    def is_missing(self, figure: Figure) -> Sql:
        """Whether there is nothing to compute a figure of, whatever the currencies."""
        return Sql("{} is null", self._compute(self._expression(figure)))

    def key(self, place: int) -> Sql:
        """The value of a key that groups are told apart by."""
        return of(self.whole, f"k{place}")

    # ------------------------------------------------------------------------------------------------ how it is read

    def source(self, tests: Sequence[Sql] = ()) -> Sql:
        """The `from` clause of the computed rows that pass the tests, with what was asked of them before."""
        if not self._computed and not self.keys:
            return NO_SOURCE
        if not self._currencies:
            rows = Sql(" from (select {}{}{}) {}", self._columns(), self._read(), self._grouped(), name(self.whole))
            return rows + Sql(" where {}", all_of(tests)) if tests else rows
        parts = Sql(
            "select {}, grouping({}) as w{}{}",
            self._columns(),
            join(", ", map(self._currency, self._currencies)),
            self._read(),
            self._grouped(),
        )
        together = (
            Sql("select {}.*{} from ({}) {}", name(self.part), self._put_together(), parts, name(self.part))
            + self._windows()
        )
        is_whole = Sql(f"{{}} = {(1 << len(self._currencies)) - 1}", of(self.whole, "w"))
        return Sql(" from ({}) {} where {}", together, name(self.whole), all_of((is_whole, *tests)))

    def _columns(self) -> Sql:
        keys = (Sql("{} as {}", self._key(each), name(f"k{place}")) for place, each in enumerate(self.keys))
        currencies = (
            Sql("{} as {}", self._currency(each), name(f"c{place}")) for place, each in enumerate(self._currencies)
        )
        figures = (Sql("{} as {}", value, name(known)) for value, known in self._computed.items())
        return join(", ", (*keys, *currencies, *figures))

    def _read(self) -> Sql:
        """The rows, and beside each the ids of the linked records that may be seen."""
        if not self._links:
            return self.rows.matching(self.row)
        rows = Sql(" from (select *{}) {}", self.rows.matching(self.rows.visits.alias()), name(self.row))
        return rows + join("", (self._joined(column, alias) for column, alias in self._links.items()))

    def _joined(self, column: str, alias: str) -> Sql:
        seen = self.rows.visits.source(_target(SHAPES[self.rows.table].column(column)), alias)
        link = Sql("{} = {}", of(alias, "id"), of(self.row, column))
        return Sql(" left join (select {}{}) {} on {}", of(alias, "id"), seen, name(alias), link)

    def _grouped(self) -> Sql:
        """By the keys; with money also by the keys and each currency. Columns are named by their places."""
        keys = [str(place) for place in range(1, len(self.keys) + 1)]
        if not self._currencies:
            return Sql(f" group by {', '.join(keys)}") if keys else NO_SOURCE
        ends = range(len(keys) + 1, len(keys) + 1 + len(self._currencies))
        sets = [keys, *([*keys, str(end)] for end in ends)]
        return Sql(f" group by grouping sets ({', '.join('(' + ', '.join(each) + ')' for each in sets)})")

    def _put_together(self) -> Sql:
        found = (
            Sql("{} as {}", self._listed(figure, parts), name(known))
            for (figure, parts), known in self._amounts.items()
        )
        return join("", (Sql(", {}", each) for each in found))

    def _listed(self, figure: Figure, parts: tuple[Member | Typename, ...]) -> Sql:
        """The amounts of a group, one for each currency."""
        column = self._column(figure)
        if column is None or column.note.currency is None:
            raise ValueError(f"{figure} is no money")
        place = self._currencies.index(column.note.currency)
        value = of(self.part, self._computed[self._expression(figure)])
        members = {"amount": Sql("{}::text", value), "currency": of(self.part, f"c{place}")}
        money = each_row(chosen(parts, members), NO_SOURCE)
        by_currency = ((1 << len(self._currencies)) - 1) & ~(1 << (len(self._currencies) - 1 - place))
        kept = Sql(f"{{}} = {by_currency} and {{}} is not null", of(self.part, "w"), value)
        return Sql(f"coalesce(json_agg(({{}})) filter (where {{}}) over by_c{place}, '[]')", money, kept)

    def _windows(self) -> Sql:
        """The parts of one group, in the order of a currency, the unknown one last."""
        keys = join(", ", (of(self.part, f"k{place}") for place in range(len(self.keys))))
        partition = Sql("partition by {} ", keys) if self.keys else NO_SOURCE
        whole = "rows between unbounded preceding and unbounded following"
        windows = (
            Sql(f"by_c{place} as ({{}}order by {{}} nulls last {whole})", partition, of(self.part, f"c{place}"))
            for place in range(len(self._currencies))
        )
        return Sql(" window {}", join(", ", windows))

    # --------------------------------------------------------------------------------------------- what is computed

    def _laid(self, part: FigureValue | Figures | Typename) -> Sql:
        match part:
            case Typename():
                return typename(part)
            case Figures(parts=parts):
                return Sql("({})", each_row(self.laid_out(parts), NO_SOURCE))
            case FigureValue(figure=figure):
                return self._shown(figure, part.parts)

    def _shown(self, figure: Figure, parts: tuple[Member | Typename, ...]) -> Sql:
        """A figure as GraphQL shows it."""
        column = self._column(figure)
        if column is not None and _is_money(figure, column):
            return self._amounts_of(figure, column, parts)
        value = self._compute(self._expression(figure))
        if column is None or figure.function == "countDistinct":
            return value
        if figure.function in ("sum", "avg"):
            return Sql("{}::text", value)
        return column_as_json(column, self.rows.table, value)

    def _amounts_of(self, figure: Figure, column: ColumnShape, parts: tuple[Member | Typename, ...]) -> Sql:
        if column.note.currency is not None and column.note.currency not in self._currencies:
            self._currencies.append(column.note.currency)
        self._compute(self._expression(figure))
        known = self._amounts.setdefault((figure, parts), f"m{len(self._amounts)}")
        return of(self.whole, known)

    def _comparable(self, figure: Figure) -> Sql:
        found, column = self._expression(figure), self._column(figure)
        if column is not None and column.python is int and figure.function in ("min", "max"):
            found = Sql("{}::numeric", found)  # what it is compared with is a decimal
        if column is None or not _is_money(figure, column):
            return found
        return Sql("case when {} then {} end", only_currency(self.row, column)[0], found)

    def _expression(self, figure: Figure) -> Sql:
        column = self._column(figure)
        value = Sql("") if column is None else self._value(column)
        return figure_over(figure, column, self.row, value)

    def _compute(self, expression: Sql) -> Sql:
        return of(self.whole, self._computed.setdefault(expression, f"a{len(self._computed)}"))

    def _key(self, key: GroupKey) -> Sql:
        column = SHAPES[self.rows.table].column(key.column)
        value = self._value(column)
        return value if key.grain is None else first_day(column, key.grain, value)

    def _currency(self, column: str) -> Sql:
        """The currency of a row, in other words than a key: a grouping set that leaves one out leaves out its likes."""
        value = of(self.row, column)
        return Sql("({} || '')", value) if any(each.column == column for each in self.keys) else value

    def _value(self, column: ColumnShape) -> Sql:
        """The column of a row; of a link, the id of the record only if that may be seen."""
        if column.link is None or not self.rows.visits.hides_rows(column.link.target):
            return of(self.row, column.name)
        if column.name not in self._links:
            self._links[column.name] = self.rows.visits.alias()
        return of(self._links[column.name], "id")

    def _column(self, figure: Figure) -> ColumnShape | None:
        return None if figure.column is None else SHAPES[self.rows.table].column(figure.column)


def _is_money(figure: Figure, column: ColumnShape) -> bool:
    return column.note.currency is not None and figure.function != "countDistinct"


def _target(column: ColumnShape) -> str:
    if column.link is None:
        raise ValueError(f"{column.name} is no link")
    return column.link.target
