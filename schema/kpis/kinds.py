"""What a KPI is: a frozen value that says what it counts. `api/metrics` compiles it; nothing here knows a database.

A kind is one of the classes below. A KPI of an existing kind is one value in a module of this folder; a new kind is one
class here and its compilation in `api/metrics`.
"""

from dataclasses import dataclass, field
from typing import Literal

from schema.vocab import Anchor, DealOutcome, Dimension, Reentry, Skip, Unit, Vocabulary


class Kind(Vocabulary):
    """How a KPI's number is made."""

    COUNT = "COUNT", "How many of something happened."
    SUM = "SUM", "Amounts added up."
    RATIO = "RATIO", "A share of what happened in the period."
    CONVERSION = "CONVERSION", "The share of the people in one stage who entered a later one."
    DURATION = "DURATION", "How long people took from one stage to a later one."


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


Facts = Entries | Closings


@dataclass(frozen=True, slots=True)
class Count:
    """The number of rows."""

    of: Facts
    kind: Literal[Kind.COUNT] = field(default=Kind.COUNT, init=False)


@dataclass(frozen=True, slots=True)
class Sum:
    """A money column of the deal added up. An unknown amount is left out and told, never taken for 0."""

    of: Closings
    column: Literal["amount"]
    kind: Literal[Kind.SUM] = field(default=Kind.SUM, init=False)


@dataclass(frozen=True, slots=True)
class Ratio:
    """The deals of one outcome, of all those closed with one of several."""

    part: Closings
    whole: Closings
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


Measure = Count | Sum | Ratio | Conversion | Duration


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One KPI: what it is called, what it means, and what may be asked of it."""

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
                | Ratio(whole=Closings(outcomes=outcomes))
            ):
                return tuple(f"deals {outcome.value.lower()}" for outcome in outcomes)
            case _:
                return ()
