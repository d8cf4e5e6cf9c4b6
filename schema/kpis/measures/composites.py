"""What is computed by a formula from several parts, each of which is measured on its own."""

from dataclasses import dataclass, field
from typing import Literal

from schema.kpis.kinds import Kind


@dataclass(frozen=True, slots=True)
class Velocity:
    """The money that open deals bring per day: their number, win rate and average amount, divided by the days taken."""

    kind: Literal[Kind.FORMULA] = field(default=Kind.FORMULA, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("deals open", "deals won", "deals lost")


@dataclass(frozen=True, slots=True)
class Coverage:
    """The open pipeline that closes in the period, divided by what is missing of the target of revenue won."""

    kind: Literal[Kind.FORMULA] = field(default=Kind.FORMULA, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("deals open", "deals won", "the targets of revenue_won")


@dataclass(frozen=True, slots=True)
class AcquisitionCost:
    """The cost of campaigns and of sales in the period, divided by the new customers."""

    kind: Literal[Kind.FORMULA] = field(default=Kind.FORMULA, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("campaign costs", "the sales costs agreed", "each customer's first deal won")


@dataclass(frozen=True, slots=True)
class LifetimeValue:
    """The margin of the revenue per customer and month, divided by the share of customers who leave each month."""

    kind: Literal[Kind.FORMULA] = field(default=Kind.FORMULA, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("deals won", "each customer's first deal won", "the gross margin and churn agreed")


@dataclass(frozen=True, slots=True)
class LifetimeValueOverCost:
    """The lifetime value of a customer, divided by the cost of winning one."""

    kind: Literal[Kind.FORMULA] = field(default=Kind.FORMULA, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return (*LifetimeValue().reads, *AcquisitionCost().reads[:2])


@dataclass(frozen=True, slots=True)
class Payback:
    """The cost of winning a customer, divided by the margin of the revenue per customer and month."""

    kind: Literal[Kind.FORMULA] = field(default=Kind.FORMULA, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return (*AcquisitionCost().reads, "deals won", "the gross margin agreed")
