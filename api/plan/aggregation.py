"""The aggregates of the rows of a list, of all rows together or in groups, computed in one pass.

An `Aggregation` is used in two steps. First the selected fields, the group filter and the group order name the
aggregates that they need (`comparable_value`, `aggregate_object`, …); each call returns an expression on a computed
row. Then `from_clause` returns the subquery that computes these aggregates, and no others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from api.access.as_of import IS_ASSUMED
from api.access.scoped_tables import qualified
from api.plan.aggregate_functions import aggregate, single_currency
from api.plan.composite_fields import amount_members, selected_members, typename
from api.plan.date_buckets import first_day
from api.plan.json_objects import NO_ROWS, select_objects
from api.plan.json_values import column_as_json, decimal_as_float
from api.plan.list_arguments import PRESENT_STAGE_KEY, AggregateCall, GroupingKey
from api.plan.list_rows import ListRows
from api.plan.money.amounts_by_currency import amounts_by_currency, group_by, is_whole_group, windows
from api.plan.money.converted_amounts import REPORTING_CURRENCY, join_rates
from api.plan.present_stage import present_entry
from api.plan.selection import Aggregate, AggregateField, FunctionFields, ObjectMember, Typename
from api.sql import Sql, all_of, join, name
from schema.base import ColumnShape
from schema.tables import SHAPES


@dataclass(frozen=True, slots=True)
class Aggregation:
    """The aggregates of a list, and the aliases of the three levels that compute them."""

    rows: ListRows
    keys: tuple[GroupingKey, ...]
    row: str  # a row of the list
    group: str  # a computed row: one group, or all rows together
    part: str  # a computed row below: a group, or the part of a group in one currency
    _computed: dict[Sql, str] = field(default_factory=dict)  # aggregate expression -> its column
    _currencies: list[str] = field(default_factory=list)  # columns that hold currencies
    _amounts: dict[tuple[AggregateCall, tuple[ObjectMember | Typename, ...]], str] = field(default_factory=dict)
    _converted: dict[str, str] = field(default_factory=dict)  # money column -> its converted amounts
    _links: dict[str, str] = field(default_factory=dict)  # foreign key -> alias of the visible linked record
    _stages: list[str] = field(default_factory=list)  # the alias of the present stage entries, if they are joined

    @classmethod
    def of(cls, rows: ListRows, keys: tuple[GroupingKey, ...] = ()) -> "Aggregation":
        """Begin an aggregation of all rows of a list together; with keys, in groups."""
        return cls(rows, keys, rows.alias, f"{rows.alias}_figures", f"{rows.alias}_parts")

    # ------------------------------------------------------------------------------ step one: name the aggregates

    def columns(self, parts: Iterable[AggregateField | FunctionFields | Typename]) -> list[tuple[str, Sql]]:
        """Return the selected aggregates by key; those of one function as an object.

        Shapes: selected fields -> pairs of key and expression on a computed row.
        Errors: KeyError for an unknown column.
        """
        return [(part.key, self._part(part)) for part in parts]

    def aggregate_object(self, selection: Aggregate) -> Sql:
        """Return the selected aggregates as one object.

        Shapes: selection -> an expression on a computed row. Errors: KeyError for an unknown column.
        """
        return Sql("({})", select_objects(self.columns(selection.parts), NO_ROWS))

    def comparable_value(self, call: AggregateCall) -> Sql:
        """Return an aggregate as a value to compare and sort by.

        Shapes: call -> an expression on a computed row; null for money in several currencies.
        Errors: KeyError for an unknown column.
        """
        return self._column_for(self._comparable_expression(call))

    def assumed_count(self) -> Sql:
        """Return the number of rows whose values, as of the instant, are from an assumed history; 0 without an instant.

        Shapes: -> an expression on a computed row. Errors: ValueError for a table without history.
        """
        if not SHAPES[self.rows.table].has_history:
            raise ValueError(f"{self.rows.table} has no history")
        if self.rows.tables.instant is None:
            return Sql("0")
        return self._column_for(Sql("count(*) filter (where {})", qualified(self.row, IS_ASSUMED)))

    def currency(self, call: AggregateCall) -> Sql | None:
        """Return the currency of an aggregate of money; None if the aggregate is not money.

        Shapes: call -> an expression on a computed row; null for several currencies, and without any amount.
        Errors: KeyError for an unknown column.
        """
        column = self._column(call)
        if column is None or not _is_money(call, column):
            return None
        is_single, currency = single_currency(self.row, column)
        return self._column_for(Sql("case when {} then {} end", is_single, currency))

    def is_missing(self, call: AggregateCall) -> Sql:
        """Return the condition that there is no value to aggregate, in any currency.

        Shapes: call -> a condition on a computed row. Errors: KeyError for an unknown column.
        """
        return Sql("{} is null", self._column_for(self._expression(call)))

    def key_value(self, number: int) -> Sql:
        """Return the value of a grouping key.

        Shapes: position among the keys -> an expression on a computed row.
        """
        return qualified(self.group, f"k{number}")

    def stage_rank(self) -> Sql:
        """Return the rank of the stage that the rows of a group share; null without a stage.

        Shapes: -> an expression on a computed row. Contacts that are grouped by their present stage only.
        """
        return self._column_for(Sql("max({})", qualified(self._stage_alias(), "rank")))

    # -------------------------------------------------------------------------------- step two: compute the named

    def from_clause(self, having: Sequence[Sql] = ()) -> Sql:
        """Return the `from` clause of the computed rows that meet the conditions; empty if nothing was named.

        Shapes: conditions on the computed rows -> one row per group; without keys, one row.
        """
        if not self._computed and not self.keys:
            return NO_ROWS
        currencies = len(self._currencies)
        groups = group_by(len(self.keys), currencies)
        if not currencies:
            computed = Sql("select {}{}{}", self._computed_columns(), self._list_rows(), groups)
            clause = Sql(" from ({}) {}", computed, name(self.group))
            return clause + Sql(" where {}", all_of(having)) if having else clause
        parts = Sql(
            "select {}, grouping({}) as w{}{}",
            self._computed_columns(),
            join(", ", map(self._currency_value, self._currencies)),
            self._list_rows(),
            groups,
        )
        part = name(self.part)
        collected = Sql("select {}.*{} from ({}) {}", part, self._amount_columns(), parts, part)
        collected += windows(self.part, len(self.keys), currencies)
        conditions = all_of((is_whole_group(self.group, currencies), *having))
        return Sql(" from ({}) {} where {}", collected, name(self.group), conditions)

    def _computed_columns(self) -> Sql:
        keys = (Sql("{} as {}", self._key_value(key), name(f"k{number}")) for number, key in enumerate(self.keys))
        currencies = (
            Sql("{} as {}", self._currency_value(column), name(f"c{number}"))
            for number, column in enumerate(self._currencies)
        )
        aggregates = (Sql("{} as {}", expression, name(alias)) for expression, alias in self._computed.items())
        return join(", ", (*keys, *currencies, *aggregates))

    def _list_rows(self) -> Sql:
        """Return the `from` clause of the list's rows, joined with the visible linked records that are aggregated."""
        if not self._links and not self._stages and not self._converted:
            return self.rows.matching(self.row)
        # A subquery: inside it, the filter of the list can use the bare names of its own alias.
        inner = self.rows.tables.new_alias()
        columns, rates = [Sql("{}.*", name(inner))], Sql("")
        for column, alias in self._converted.items():
            rate, amount = join_rates(self.rows.tables, self.rows.table, column, inner, self.rows.matching)
            columns.append(Sql("{} as {}", amount, name(alias)))
            rates += Sql(" left join {}", rate)
        # With `offset 0` PostgreSQL converts an amount once, and not in every aggregate that uses it.
        once = Sql(" offset 0" if self._converted else "")
        matching = self.rows.matching(inner, joins=rates)
        rows = Sql(" from (select {}{}{}) {}", join(", ", columns), matching, once, name(self.row))
        joins = [self._left_join(column, alias) for column, alias in self._links.items()]
        for entry in self._stages:
            present = present_entry(self.rows.tables, self.row, entry)
            joins.append(Sql(" left join lateral (select {}.*{}) {} on true", name(entry), present, name(entry)))
        return rows + join("", joins)

    def _left_join(self, column: str, alias: str) -> Sql:
        linked = _linked_table(SHAPES[self.rows.table].column(column))
        visible = self.rows.tables.from_clause(linked, alias, with_merged=True)
        is_linked = Sql("{} = {}", qualified(alias, "id"), qualified(self.row, column))
        return Sql(" left join (select {}{}) {} on {}", qualified(alias, "id"), visible, name(alias), is_linked)

    def _amount_columns(self) -> Sql:
        columns = (
            Sql(", {} as {}", self._amounts_of(call, parts), name(alias))
            for (call, parts), alias in self._amounts.items()
        )
        return join("", columns)

    def _amounts_of(self, call: AggregateCall, parts: tuple[ObjectMember | Typename, ...]) -> Sql:
        column = self._column(call)
        if column is None or column.note.currency is None:
            raise ValueError(f"{call} is not an aggregate of money")
        number = self._currencies.index(column.note.currency)
        value = qualified(self.part, self._computed[self._expression(call)])
        return amounts_by_currency(self.part, len(self._currencies), number, value, parts)

    # ------------------------------------------------------------------------------------------------ expressions

    def _part(self, part: AggregateField | FunctionFields | Typename) -> Sql:
        match part:
            case Typename():
                return typename(part)
            case FunctionFields(parts=parts):
                return Sql("({})", select_objects(self.columns(parts), NO_ROWS))
            case AggregateField(call=call):
                return self._json_value(call, part.parts, is_float=part.is_float)

    def _json_value(self, call: AggregateCall, parts: tuple[ObjectMember | Typename, ...], *, is_float: bool) -> Sql:
        """Return an aggregate as the response shows it."""
        column = self._column(call)
        if column is not None and call.is_converted:
            return self._converted_value(call, column, parts)
        if column is not None and _is_money(call, column):
            return self._amounts_value(call, column, parts)
        value = self._column_for(self._expression(call))
        if is_float:
            return decimal_as_float(value)
        if column is None or call.function == "countDistinct":
            return value
        if call.function in ("sum", "avg"):
            return Sql("{}::text", value)
        return column_as_json(column, self.rows.table, value)

    def _converted_value(
        self, call: AggregateCall, column: ColumnShape, parts: tuple[ObjectMember | Typename, ...]
    ) -> Sql:
        amount, converted = qualified(self.row, column.name), self._value(column, is_converted=True)
        is_unconverted = Sql("count(*) filter (where {} is not null and {} is null)", amount, converted)
        members = {
            **amount_members(self._column_for(self._expression(call))),
            "currency": REPORTING_CURRENCY,
            "unconvertedCount": self._column_for(is_unconverted),
        }
        return Sql("({})", select_objects(selected_members(parts, members), NO_ROWS))

    def _amounts_value(
        self, call: AggregateCall, column: ColumnShape, parts: tuple[ObjectMember | Typename, ...]
    ) -> Sql:
        if column.note.currency is not None and column.note.currency not in self._currencies:
            self._currencies.append(column.note.currency)
        self._column_for(self._expression(call))
        alias = self._amounts.setdefault((call, parts), f"m{len(self._amounts)}")
        return qualified(self.group, alias)

    def _comparable_expression(self, call: AggregateCall) -> Sql:
        expression, column = self._expression(call), self._column(call)
        if column is not None and column.python is int and call.function in ("min", "max"):
            # Group filters compare with decimals. Sums and averages are numeric already.
            expression = Sql("{}::numeric", expression)
        if column is None or not _is_money(call, column):
            return expression
        return Sql("case when {} then {} end", single_currency(self.row, column)[0], expression)

    def _expression(self, call: AggregateCall) -> Sql:
        column = self._column(call)
        value = Sql("") if column is None else self._value(column, is_converted=call.is_converted)
        return aggregate(call, column, self.row, value)

    def _column_for(self, expression: Sql) -> Sql:
        """Return the column that computes an expression; equal expressions are computed once."""
        return qualified(self.group, self._computed.setdefault(expression, f"a{len(self._computed)}"))

    def _stage_alias(self) -> str:
        if not self._stages:
            self._stages.append(self.rows.tables.new_alias())
        return self._stages[0]

    def _key_value(self, key: GroupingKey) -> Sql:
        if key.column == PRESENT_STAGE_KEY:
            return qualified(self._stage_alias(), "stage")
        column = SHAPES[self.rows.table].column(key.column)
        self.rows.tables.require(self.rows.table, column.name, "groups by")
        value = self._value(column)
        return value if key.grain is None else first_day(column, key.grain, value)

    def _currency_value(self, column: str) -> Sql:
        # If the currency is also a grouping key, it needs a different expression here: a grouping set without a
        # column nulls every equal expression, and the key would be null.
        value = qualified(self.row, column)
        return Sql("({} || '')", value) if any(key.column == column for key in self.keys) else value

    def _value(self, column: ColumnShape, *, is_converted: bool = False) -> Sql:
        """Return a column of a row. A foreign key is null if the record that it names is not visible."""
        if is_converted:
            return qualified(self.row, self._converted.setdefault(column.name, f"{column.name}$"))
        if column.link is None or not self.rows.tables.hides_rows(column.link.target):
            return qualified(self.row, column.name)
        if column.name not in self._links:
            self._links[column.name] = self.rows.tables.new_alias()
        return qualified(self._links[column.name], "id")

    def _column(self, call: AggregateCall) -> ColumnShape | None:
        if call.column is None:
            return None
        self.rows.tables.require(self.rows.table, call.column, "aggregates")
        return SHAPES[self.rows.table].column(call.column)


def _is_money(call: AggregateCall, column: ColumnShape) -> bool:
    return column.note.currency is not None and call.function != "countDistinct" and not call.is_converted


def _linked_table(column: ColumnShape) -> str:
    if column.link is None:
        raise ValueError(f"{column.name} is not a foreign key")
    return column.link.target
