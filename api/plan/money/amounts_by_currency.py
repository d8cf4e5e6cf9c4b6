"""Aggregates of money by currency, in one pass over the rows.

Grouping sets yield several rows for a group: one for the whole group, and one part for each of its currencies. A window
over the parts of a group then collects the amounts into a JSON array, and every row of the group has it. The row of the
whole group is kept. The alternative, a subquery for each group, would scan the rows again for each group.

Columns of the select: `k<n>` the grouping keys, `c<n>` the currency columns, `w` the bit mask `grouping(c0, …)`. A set
bit of the mask means that the row is not grouped by that currency column.
"""

from api.access.scoped_tables import qualified
from api.plan.composite_fields import amount_members, selected_members
from api.plan.json_objects import NO_ROWS, select_objects
from api.plan.selection import ObjectMember, Typename
from api.sql import Sql, join


def group_by(keys: int, currencies: int) -> Sql:
    """Return the ` group by` clause; empty without keys and currency columns.

    Shapes: the numbers of grouping keys and of currency columns -> a clause that names them by their position. They are
            the first columns of the select, in this order.
    """
    key_columns = [str(number) for number in range(1, keys + 1)]
    if not currencies:
        return Sql(f" group by {', '.join(key_columns)}") if key_columns else Sql("")
    currency_columns = range(keys + 1, keys + 1 + currencies)
    sets = [key_columns, *([*key_columns, str(column)] for column in currency_columns)]
    return Sql(f" group by grouping sets ({', '.join('(' + ', '.join(columns) + ')' for columns in sets)})")


def is_whole_group(alias: str, currencies: int) -> Sql:
    """Return the condition that a row is a whole group, and not a part in one currency.

    Shapes: alias of the parts, number of currency columns -> a condition.
    """
    return Sql(f"{{}} = {_all_bits(currencies)}", qualified(alias, "w"))


def amounts_by_currency(
    alias: str, currencies: int, number: int, value: Sql, parts: tuple[ObjectMember | Typename, ...]
) -> Sql:
    """Return the amounts of a group as a JSON array, one object per currency.

    Shapes: alias of the parts, the currency column's number, the amount of a part -> a window function over `windows`.
    """
    members = amount_members(value) | {"currency": qualified(alias, f"c{number}")}
    money = select_objects(selected_members(parts, members), NO_ROWS)
    # `grouping` numbers its bits from the right: the last argument is the lowest bit.
    by_this_currency = _all_bits(currencies) & ~(1 << (currencies - 1 - number))
    is_amount = Sql(f"{{}} = {by_this_currency} and {{}} is not null", qualified(alias, "w"), value)
    return Sql(f"coalesce(json_agg(({{}})) filter (where {{}}) over by_c{number}, '[]')", money, is_amount)


def windows(alias: str, keys: int, currencies: int) -> Sql:
    """Return the ` window` clause: the parts of one group, ordered by currency, the null currency last.

    Shapes: alias of the parts, numbers of keys and currency columns -> a clause with one window per currency column.
    """
    key_columns = join(", ", (qualified(alias, f"k{number}") for number in range(keys)))
    partition = Sql("partition by {} ", key_columns) if keys else Sql("")
    # The default frame ends at the current row, and the row of the whole group would have only some of the amounts.
    frame = "rows between unbounded preceding and unbounded following"
    definitions = (
        Sql(f"by_c{number} as ({{}}order by {{}} nulls last {frame})", partition, qualified(alias, f"c{number}"))
        for number in range(currencies)
    )
    return Sql(" window {}", join(", ", definitions))


def _all_bits(currencies: int) -> int:
    return (1 << currencies) - 1
