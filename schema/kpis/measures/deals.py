"""What is measured of deals: openings, closings and their amounts."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from schema.kpis.kinds import Kind
from schema.vocab import DealOutcome


@dataclass(frozen=True, slots=True)
class Closings:
    """Deals closed with one of the outcomes. A deal that was closed several times counts at its last closing."""

    outcomes: tuple[DealOutcome, ...]

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return tuple(f"deals {outcome.value.lower()}" for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class Openings:
    """Deals by the instant they were opened. Reopening a deal is not an opening.

    With `is_new_business` a deal does not count if its first pipeline since then is one of other business.
    """

    is_new_business: bool = False

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("deals opened in new-business pipelines",) if self.is_new_business else ("deals opened",)


@dataclass(frozen=True, slots=True)
class FirstWins:
    """The first deal won of each company, or of each person without a company."""

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("each customer's first deal won",)


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of deals' amounts, as they were at the closing or opening.

    Amounts in another currency are converted at the rate of that day. Unknown amounts are left out and reported in a
    warning; they never count as 0.
    """

    of: Closings | Openings
    kind: Literal[Kind.SUM] = field(default=Kind.SUM, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return self.of.reads


@dataclass(frozen=True, slots=True)
class Average:
    """The sum of deals' amounts as in `Sum`, divided by the number of known amounts."""

    of: Closings
    kind: Literal[Kind.AVERAGE] = field(default=Kind.AVERAGE, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return self.of.reads


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The amounts of the deals that were open at an instant, converted at the rate of its day.

    A series has the state at the end of each bucket, so buckets do not add up. The last bucket is the KPI's value.
    """

    is_weighted: bool = False
    kind: Literal[Kind.SNAPSHOT] = field(default=Kind.SNAPSHOT, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("deals open",)


@dataclass(frozen=True, slots=True)
class ClosingRatio:
    """The share of closed deals that closed with some of the outcomes."""

    part: Closings
    whole: Closings
    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return self.whole.reads


@dataclass(frozen=True, slots=True)
class Cycle:
    """The time from opening to closing of the deals closed with one of the outcomes."""

    of: Closings
    kind: Literal[Kind.DURATION] = field(default=Kind.DURATION, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return self.of.reads


@dataclass(frozen=True, slots=True)
class ClosingAmountRatio:
    """The amounts of the deals closed with some of the outcomes, divided by those of all closed deals.

    Amounts are those at the closing. Deals with a negative amount do not count, so the share is between 0 and 1.
    """

    part: Closings
    whole: Closings
    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return self.whole.reads


@dataclass(frozen=True, slots=True)
class Pushed:
    """The share of the deals due to close in the period whose expected close date moved to a day after it."""

    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("the history of the deals' expected close dates",)


@dataclass(frozen=True, slots=True)
class ForecastAccuracy:
    """How near the forecast of the period's first instant came to the amount won in the period."""

    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("deals won", "deals open", "the history of the deals' expected close dates")


@dataclass(frozen=True, slots=True)
class Sourced:
    """The amounts of the deals opened in the period that marketing sourced, divided by those of all opened deals."""

    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("deals opened", "touches", "lead sources", "the accord's rule for what marketing sourced")


@dataclass(frozen=True, slots=True)
class Influenced:
    """The share of the deals opened in the period with an eligible touch by marketing.

    `look_back` is how long before the opening a touch counts, unless the accord's canonical attribution model says so.
    """

    look_back: timedelta
    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("deals opened", "touches", "the history of opting out", "the accord's look-back")
