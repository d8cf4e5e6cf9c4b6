"""What a KPI is: a frozen value that says what it counts. `api/metrics` compiles it; nothing here knows a database.

A kind is one of the classes below. A KPI of an existing kind is one value in a module of this folder; a new kind is one
class here and its compilation in `api/metrics`.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from schema.vocab import (
    Anchor,
    DealOutcome,
    Dimension,
    HandoffStatus,
    Reentry,
    Skip,
    Unit,
    Vocabulary,
    require_end_date,
)


class Kind(Vocabulary):
    """How a KPI's number is made."""

    COUNT = "COUNT", "How many of something happened."
    SUM = "SUM", "Amounts added up."
    AVERAGE = "AVERAGE", "Amounts added up, divided by how many they are."
    SNAPSHOT = "SNAPSHOT", "What stood at an instant: the end of the period, or `asOf` if that comes first."
    RATIO = "RATIO", "A share of what happened in the period."
    CONVERSION = "CONVERSION", "The share of the people in one stage who entered a later one."
    DURATION = "DURATION", "How long something took."
    SPREAD = "SPREAD", "How many each person has: the mean, and how it is spread."


class Subject(Vocabulary):
    """What one counted row is."""

    PERSON = "PERSON", "A contact; merged contacts are one."
    DEAL = "DEAL", "A deal."


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries of people into a stage of the accord; None is every stage."""

    stage: str | None


@dataclass(frozen=True, slots=True)
class Closings:
    """Deals closed with one of the outcomes; of a deal closed several times, the last closing before `asOf`."""

    outcomes: tuple[DealOutcome, ...]


@dataclass(frozen=True, slots=True)
class Openings:
    """Deals by when they were opened. Reopening opens none anew."""


@dataclass(frozen=True, slots=True)
class FirstWins:
    """Of each company, or person without one, the first deal that was won."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """Handoffs that sales decided so. One that is returned for data is not decided."""

    statuses: tuple[HandoffStatus, ...]


Facts = Entries | Closings | Openings | FirstWins


@dataclass(frozen=True, slots=True)
class Count:
    """The number of rows."""

    of: Facts
    kind: Literal[Kind.COUNT] = field(default=Kind.COUNT, init=False)


@dataclass(frozen=True, slots=True)
class Sum:
    """The amounts of deals added up, as they were at the closing or opening.

    Those in other currencies are converted at that day's rate. An unknown one is left out and told, never taken for 0.
    """

    of: Closings | Openings
    kind: Literal[Kind.SUM] = field(default=Kind.SUM, init=False)


@dataclass(frozen=True, slots=True)
class Average:
    """The amounts of deals added up as in a sum, divided by how many are known."""

    of: Closings
    kind: Literal[Kind.AVERAGE] = field(default=Kind.AVERAGE, init=False)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The amounts of the deals that stood open at an instant, converted at the rate of its day.

    A series has the state at the end of each bucket, so buckets do not add up; the last one is the answer's.
    """

    is_weighted: bool = False
    kind: Literal[Kind.SNAPSHOT] = field(default=Kind.SNAPSHOT, init=False)


@dataclass(frozen=True, slots=True)
class Ratio:
    """The deals closed, or handoffs decided, in one of some ways, of all those in one of several."""

    part: Closings | Decisions
    whole: Closings | Decisions
    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)


@dataclass(frozen=True, slots=True)
class Conversion:
    """Of the people who entered the base stage, the share that entered the target; None: the question names both."""

    base: str | None = None
    target: str | None = None
    kind: Literal[Kind.CONVERSION] = field(default=Kind.CONVERSION, init=False)


@dataclass(frozen=True, slots=True)
class Duration:
    """The time from the base stage to the target of those who got there; None: the question names both."""

    base: str | None = None
    target: str | None = None
    kind: Literal[Kind.DURATION] = field(default=Kind.DURATION, init=False)


@dataclass(frozen=True, slots=True)
class Cycle:
    """The time from opening to closing of the deals closed so."""

    of: Closings
    kind: Literal[Kind.DURATION] = field(default=Kind.DURATION, init=False)


@dataclass(frozen=True, slots=True)
class Stay:
    """The time from each entry into a stage to its exit; those still open are told beside."""

    kind: Literal[Kind.DURATION] = field(default=Kind.DURATION, init=False)


@dataclass(frozen=True, slots=True)
class Response:
    """The time from the entry into a stage to the first touch of ours that no machine had; the untouched beside."""

    base: str
    kind: Literal[Kind.DURATION] = field(default=Kind.DURATION, init=False)


@dataclass(frozen=True, slots=True)
class Trailing:
    """How many touches of ours a touched person has in the stretch of time that ends at an instant."""

    within: timedelta
    kind: Literal[Kind.SPREAD] = field(default=Kind.SPREAD, init=False)


@dataclass(frozen=True, slots=True)
class OverPolicy:
    """Of the people touched in the period, those touched more than the accord's contact policy allows."""

    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of the people of whom a source reports a stage, those whom the accord finds in the same, at an instant."""

    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)


PeopleMeasure = Stay | Response | Trailing | OverPolicy | Agreement
Measure = Count | Sum | Average | Snapshot | Ratio | Conversion | Duration | Cycle | PeopleMeasure


@dataclass(frozen=True, slots=True)
class Switchboard:
    """The switches a KPI has, each with its default; None and False mean that it has no such switch.

    `asOf` (now) and `timezone` (the accord's) every KPI has.
    """

    anchor: Anchor | None = None
    reentry: Reentry | None = None
    skip: Skip | None = None
    has_window: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The switches as GraphQL names them."""
        own = (("anchor", self.anchor), ("reentry", self.reentry), ("skip", self.skip), ("window", self.has_window))
        return (*(name for name, default in own if default), "asOf", "timezone")


PERSON_DIMENSIONS = (
    Dimension.LEAD_SOURCE,
    Dimension.CHANNEL,
    Dimension.CAMPAIGN,
    Dimension.OWNER,
    Dimension.TEAM,
    Dimension.COUNTRY,
    Dimension.INDUSTRY,
)
DEAL_DIMENSIONS = (
    Dimension.CHANNEL,
    Dimension.CAMPAIGN,
    Dimension.OWNER,
    Dimension.TEAM,
    Dimension.COUNTRY,
    Dimension.INDUSTRY,
    Dimension.PIPELINE,
    Dimension.PRODUCT,
)

ENTRY_SWITCHES = Switchboard(reentry=Reentry.FIRST, skip=Skip.IMPLIED)
PAIR_SWITCHES = Switchboard(anchor=Anchor.COHORT, reentry=Reentry.FIRST, skip=Skip.IMPLIED, has_window=True)
DURATION_SWITCHES = Switchboard(reentry=Reentry.FIRST, skip=Skip.IMPLIED, has_window=True)
DEAL_SWITCHES = Switchboard()
STAY_SWITCHES = Switchboard(reentry=Reentry.EACH, skip=Skip.IMPLIED)
DECISION_SWITCHES = Switchboard(anchor=Anchor.PERIOD)
FACT_SWITCHES = Switchboard()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One KPI: what it is called, what it means, and what may be asked of it.

    One that is to go says until when it stays: `deprecated="Ask sqls instead, until 2027-06-30"`.
    """

    key: str
    title: str
    definition: str
    measure: Measure
    unit: Unit
    subject: Subject
    dimensions: tuple[Dimension, ...]
    switches: Switchboard
    guard: str | None = None
    source: str
    deprecated: str | None = None

    def __post_init__(self) -> None:
        require_end_date(self.deprecated)

    @property
    def kind(self) -> Kind:
        """How its number is made."""
        return self.measure.kind

    @property
    def reads(self) -> tuple[str, ...]:
        """The stages or facts it reads, in words for a catalogue."""
        match self.measure:
            case Count(of=Entries(stage=stage)):
                return (f"stage {stage}" if stage else "every stage",)
            case Conversion(base=base, target=target) | Duration(base=base, target=target):
                return (f"stage {base}", f"stage {target}") if base and target else ("two stages of the question",)
            case (
                Count(of=Closings(outcomes=outcomes))
                | Sum(of=Closings(outcomes=outcomes))
                | Average(of=Closings(outcomes=outcomes))
                | Cycle(of=Closings(outcomes=outcomes))
                | Ratio(whole=Closings(outcomes=outcomes))
            ):
                return tuple(f"deals {outcome.value.lower()}" for outcome in outcomes)
            case Count(of=Openings()) | Sum(of=Openings()):
                return ("deals opened",)
            case Count(of=FirstWins()) | Snapshot():
                return ("deals open",) if isinstance(self.measure, Snapshot) else ("each customer's first deal won",)
            case Stay() | Response() | Trailing() | OverPolicy() | Agreement() | Ratio(whole=Decisions()):
                return _read_of_people(self.measure)
            case _:
                return ()


def _read_of_people(measure: PeopleMeasure | Ratio) -> tuple[str, ...]:
    match measure:
        case Ratio(whole=Decisions(statuses=statuses)):
            return tuple(f"handoffs {status.value.lower()}" for status in statuses)
        case Response(base=stage):
            return (f"stage {stage}", "outbound touches")
        case Trailing():
            return ("outbound touches",)
        case OverPolicy():
            return ("outbound touches", "the contact policy")
        case Agreement():
            return ("reported stages", "every stage")
        case _:
            return ("every stage",)
