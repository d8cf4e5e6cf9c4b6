"""Shares of amounts: a part of the amounts divided by all of them."""

from collections.abc import Iterator
from decimal import Decimal

from api.metrics.answer import AnswerWarning, Variant
from api.metrics.figure_table import AmountTotal, FigureCell, FigureTable, share
from api.metrics.kinds.kind import FigureValues, figure_values
from api.sql import Sql, join
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.variants import VariantRule


def portion(*conditions: Sql) -> Sql:
    """The aggregate `portions`: the sum of the amounts that meet each condition."""
    sums = (Sql("coalesce(sum(c.worth) filter (where {}), 0)", condition) for condition in conditions)
    return Sql("array[{}]::numeric[]", join(", ", sums))


def amount_share(cell: FigureCell, place: int = 0, variants: tuple[Variant, ...] = ()) -> FigureValues:
    """The figure of the portion in a place divided by the amount. Unconverted amounts are beside it."""
    total = cell.amounts.get(None)
    part, whole = part_and_whole(total, place)
    apart = cell.unconverted(is_average=False)
    return figure_values(cell, positive_share(part, whole), fraction=(part, whole), apart=apart, variants=variants)


def part_and_whole(total: AmountTotal | None, place: int) -> tuple[Decimal, Decimal]:
    """The portion in a place, and the amount; both 0 without amounts."""
    if total is None:
        return Decimal(0), Decimal(0)
    return (total.portions[place] if total.portions else Decimal(0)), total.amount


def positive_share(part: Decimal, whole: Decimal) -> Decimal | None:
    """The share of a part; None if the whole is not above 0: negative amounts are no measure of a part."""
    return share(part, whole) if whole > 0 else None


def amount_variant(cell: FigureCell, place: int, rule: VariantRule) -> Variant:
    """The share of the portion in a place, as the value by one of several rules."""
    is_canonical, reason = rule is cell.canonical, cell.unread.get(rule)
    if reason is not None:
        return Variant(
            rule=rule, value=None, numerator=None, denominator=None, is_canonical=is_canonical, reason=reason
        )
    part, whole = part_and_whole(cell.amounts.get(None), place)
    value = positive_share(part, whole)
    return Variant(
        rule=rule,
        value=value,
        numerator=part,
        denominator=whole,
        is_canonical=is_canonical,
        reason="There is nothing to divide by." if value is None else None,
    )


def unfit_to_divide(table: FigureTable, rows: str) -> Iterator[AnswerWarning]:
    """ZERO_DENOMINATOR: amounts are known, and their sum is not above 0."""
    total = table.total.amounts.get(None)
    if total is not None and total.n and total.amount <= 0:
        message = f"The amounts of the {rows} sum to {total.amount:,f}, so there is nothing to divide by."
        yield AnswerWarning(code=WarningCode.ZERO_DENOMINATOR, message=message, count=total.n)
