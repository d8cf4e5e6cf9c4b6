"""The types of the catalogue: a KPI is a frozen value that declares what it counts, and `api/metrics` computes it.

A KPI of an existing kind is one value in a module of this folder. A new kind is one measure class here, added to the
union `Measure`, and one module in `api/metrics/kinds/`. mypy reports a measure that has no such module.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from schema.described import described
from schema.kpis.switchboard import Switchboard
from schema.vocab import (
    DealOutcome,
    Dimension,
    HandoffStatus,
    Unit,
    Vocabulary,
    require_end_date,
)


class Kind(Vocabulary):
    """How a KPI's value is computed."""

    __graphql_name__ = "KpiKind"

    COUNT = "COUNT", "The number of events in the period."
    SUM = "SUM", "The sum of amounts."
    AVERAGE = "AVERAGE", "The sum of amounts divided by the number of amounts."
    SNAPSHOT = "SNAPSHOT", "The state at one instant: the end of the period, or `asOf` if that is earlier."
    RATIO = "RATIO", "A share of the events in the period."
    CONVERSION = "CONVERSION", "The share of the people in one stage who entered a later one."
    DURATION = "DURATION", "The time that something took."
    SPREAD = "SPREAD", "The number per person: its mean and its distribution."


class Subject(Vocabulary):
    """What one counted row stands for."""

    __graphql_name__ = "KpiSubject"

    PERSON = "PERSON", "A contact; merged contacts are one."
    DEAL = "DEAL", "A deal."


NEVER_COUNTED = {
    Subject.PERSON: (
        "Deleted people never count, nor test records and people of the firm that the accord excludes; merged people "
        "count once."
    ),
    Subject.DEAL: "Deleted deals never count, nor deals with only test records and people of the firm on them.",
}


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries of people into one stage of the accord; with None, into any stage."""

    stage: str | None

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return (f"stage {self.stage}" if self.stage else "every stage",)


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
    """Deals by the instant they were opened. Reopening a deal is not an opening."""

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("deals opened",)


@dataclass(frozen=True, slots=True)
class FirstWins:
    """The first deal won of each company, or of each person without a company."""

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("each customer's first deal won",)


@dataclass(frozen=True, slots=True)
class Decisions:
    """Handoffs that sales decided with one of the statuses. A handoff that was returned for data is not decided."""

    statuses: tuple[HandoffStatus, ...]

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return tuple(f"handoffs {status.value.lower()}" for status in self.statuses)


Facts = Entries | Closings | Openings | FirstWins


@dataclass(frozen=True, slots=True)
class Count:
    """The number of events."""

    of: Facts
    kind: Literal[Kind.COUNT] = field(default=Kind.COUNT, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return self.of.reads


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
class DecisionRatio:
    """The share of decided handoffs that were decided with some of the statuses."""

    part: Decisions
    whole: Decisions
    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return self.whole.reads


@dataclass(frozen=True, slots=True)
class Conversion:
    """The share of the people who entered the base stage that entered the target; with None, the request names both."""

    base: str | None = None
    target: str | None = None
    kind: Literal[Kind.CONVERSION] = field(default=Kind.CONVERSION, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return _pair_reads(self.base, self.target)


@dataclass(frozen=True, slots=True)
class Duration:
    """The time from the base stage to the target, of those who reached it; with None, the request names both."""

    base: str | None = None
    target: str | None = None
    kind: Literal[Kind.DURATION] = field(default=Kind.DURATION, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return _pair_reads(self.base, self.target)


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
class Stay:
    """The time from each entry into a stage to its exit. Entries without an exit are counted in a warning."""

    kind: Literal[Kind.DURATION] = field(default=Kind.DURATION, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("every stage",)


@dataclass(frozen=True, slots=True)
class Response:
    """The time from the entry into a stage to our first touch that was not automated.

    People who have had no such touch are counted in a warning.
    """

    base: str
    kind: Literal[Kind.DURATION] = field(default=Kind.DURATION, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return (f"stage {self.base}", "outbound touches")


@dataclass(frozen=True, slots=True)
class Trailing:
    """The number of outbound touches per touched person, in the time before an instant."""

    within: timedelta
    kind: Literal[Kind.SPREAD] = field(default=Kind.SPREAD, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("outbound touches",)


@dataclass(frozen=True, slots=True)
class OverPolicy:
    """The share of the people touched in the period who were touched more than the contact policy allows."""

    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("outbound touches", "the contact policy")


@dataclass(frozen=True, slots=True)
class Agreement:
    """The share of the people with a stage reported by a source whom the accord has in it, at an instant."""

    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("reported stages", "every stage")


Measure = (
    Count
    | Sum
    | Average
    | Snapshot
    | ClosingRatio
    | DecisionRatio
    | Conversion
    | Duration
    | Cycle
    | Stay
    | Response
    | Trailing
    | OverPolicy
    | Agreement
)


def _pair_reads(base: str | None, target: str | None) -> tuple[str, ...]:
    return (f"stage {base}", f"stage {target}") if base and target else ("two stages of the request",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One KPI: its name, its meaning, and the dimensions and switches that a request may use.

    `guard` is the KPI to watch beside it. A deprecated KPI states its replacement and its last day:
    `deprecated="Use sqls instead, until 2027-06-30"`.
    """

    key: str = described("The KPI's key, for the argument `key` of `kpi`.")
    title: str = described("The KPI's name for display.")
    meaning: str  # what it counts, in plain words; the definition adds who never counts
    measure: Measure
    unit: Unit = described("The unit of the KPI's value.")
    subject: Subject = described("What one counted row is.")
    dimensions: tuple[Dimension, ...]
    switches: Switchboard
    guard: str | None = described(
        "The KPI to watch beside it, so that one is not improved at the expense of the other.", default=None
    )
    source: str = described("Where the definition comes from.")
    deprecated: str | None = None

    def __post_init__(self) -> None:
        require_end_date(self.deprecated)

    @property
    def definition(self) -> str:
        """What the KPI counts, and who never counts, in plain words."""
        return f"{self.meaning} {NEVER_COUNTED[self.subject]}"

    @property
    def kind(self) -> Kind:
        """How the KPI's value is computed."""
        return self.measure.kind

    @property
    def reads(self) -> tuple[str, ...]:
        """The stages or facts that the KPI reads, in words."""
        return self.measure.reads
