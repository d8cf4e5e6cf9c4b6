"""The parts of a formula: what each of them measures, and its value in one cell."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from fractions import Fraction
from typing import TypeAlias

from api.metrics.answer import KpiPart
from api.metrics.figure_table import CENT, MILLIONTH, FigureCell
from api.metrics.kinds.kind import KpiKind
from schema.kpis.answer_vocab import WarningCode
from schema.vocab import Unit


class PartValue(Enum):
    """How the value of a counted part follows from its rows."""

    COUNT = auto()  # their number
    SUM = auto()  # the sum of what the rows give
    MEAN = auto()  # that sum divided by their number
    SHARE = auto()  # the converted rows divided by all


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedPart:
    """A part that counts records: the counted rows of a kind, and how its value follows from them.

    - `is_sample`: with few rows, one more changes the value a lot, so that the answer warns of it.
    - `missing` says what to enter where if nothing is counted, of a part that is unknown then; None if it is 0 then.
    - `has_own_total`: its buckets are not parts of its total, which has rows of its own.
    """

    name: str
    title: str
    unit: Unit
    kind: KpiKind
    value: PartValue
    is_sample: bool = False
    missing: str | None = None
    has_own_total: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedPart:
    """A part that no record gives, such as a target; `missing` says what to enter where if it is not known."""

    name: str
    title: str
    unit: Unit
    missing: str


Part: TypeAlias = CountedPart | AgreedPart
PartValues: TypeAlias = Mapping[str, Fraction | None]  # exact, by name; None for a part without a value


@dataclass(frozen=True, slots=True)
class NoValue:
    """Why a formula has no value."""

    code: WarningCode
    message: str


@dataclass(frozen=True, slots=True)
class Quotient:
    """The exact numerator and denominator of a formula."""

    numerator: Fraction
    denominator: Fraction

    @property
    def value(self) -> Fraction:
        """The exact value."""
        return self.numerator / self.denominator


def given(values: PartValues, name: str) -> Fraction:
    """The value of a part that has one, because `missing_part` has been asked. Errors: ValueError if it has none."""
    value = values[name]
    if value is None:
        raise ValueError(f"the part {name} has no value")
    return value


def exact_value(part: Part, cell: FigureCell) -> Fraction | None:
    """The value of a part in a cell of the formula; None if it has nothing to divide by, or no known amount."""
    if isinstance(part, AgreedPart):
        return cell.agreed.get(part.name)
    counted = _counted(part, cell)
    if part.missing is not None and not counted.n:
        return None
    numerator, denominator = _fraction(part, counted)
    if numerator is None or denominator == 0:
        return None
    return Fraction(numerator) if denominator is None else Fraction(numerator) / denominator


def missing_part(part: Part, cell: FigureCell) -> NoValue | None:
    """Why a part that has no value makes the whole formula have none; None if the formula itself says so."""
    if exact_value(part, cell) is not None:
        return None
    if part.missing is not None and not (isinstance(part, CountedPart) and _counted(part, cell).n):
        return NoValue(WarningCode.MISSING_INPUT, part.missing)
    if isinstance(part, CountedPart) and part.value is PartValue.SUM:
        message = f"{part.title} has no known amount in the currency of the answer."
        return NoValue(WarningCode.UNKNOWN_AMOUNT, message)
    return None


def shown_part(part: Part, cell: FigureCell) -> KpiPart:
    """A part as an answer lists it, without the query for its records."""
    exact = exact_value(part, cell)
    numerator: Decimal | None = None
    denominator: int | None = None
    counted = FigureCell()
    if isinstance(part, CountedPart):
        counted = _counted(part, cell)
        if part.value in (PartValue.MEAN, PartValue.SHARE):
            numerator, denominator = _fraction(part, counted)
    return KpiPart(
        name=part.name,
        title=part.title,
        unit=part.unit,
        value=None if exact is None else rounded(exact, part.unit),
        numerator=numerator,
        denominator=None if denominator is None else Decimal(denominator),
        n=counted.n,
    )


def rounded(exact: Fraction, unit: Unit) -> Decimal:
    """An exact number as a value in its unit: money to the cent, whole counts, and others to six places."""
    places = CENT if unit in (Unit.MONEY, Unit.MONEY_PER_DAY) else MILLIONTH
    found = (Decimal(exact.numerator) / exact.denominator).quantize(places)
    return Decimal(exact.numerator) if exact.denominator == 1 and places is MILLIONTH else found


def _counted(part: CountedPart, cell: FigureCell) -> FigureCell:
    return cell.parts.get(part.name, FigureCell())


def _fraction(part: CountedPart, counted: FigureCell) -> tuple[Decimal | None, int | None]:
    """The numerator, None if no amount is known, and the denominator, None for a number or a sum."""
    total = counted.amounts.get(None)
    is_nothing = not counted.left_out and not counted.amounts
    amount = total.amount if total is not None else Decimal(0) if is_nothing else None
    match part.value:
        case PartValue.COUNT:
            return Decimal(counted.n), None
        case PartValue.SHARE:
            return Decimal(counted.numerator), counted.n
        case PartValue.SUM:
            return amount, None
        case PartValue.MEAN:
            return amount, total.n if total is not None else 0
