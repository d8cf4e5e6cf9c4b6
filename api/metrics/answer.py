"""What comes back: values with numerator, denominator and n, and everything they were computed from.

These dataclasses are the one source of the GraphQL answer types: each field's `doc` is its description.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from api.sql import Sql
from schema.vocab import Currency, Dimension, RecordSide, Unit, WarningCode


def said(doc: str) -> Any:  # type: ignore[explicit-any]  # noqa: ANN401 - dataclasses.field is typed so
    """Declare a field of an answer with its meaning."""
    return field(metadata={"doc": doc})


class Behind(Protocol):
    """Where the records behind a number are found; records.py reads them."""

    @property
    def table(self) -> str:
        """The table of the records."""

    def rows(self, side: RecordSide) -> Sql:
        """Everything counted on that side: `id, at, tie`."""


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """How durations or amounts are spread, in the answer's unit. Percentiles are continuous (interpolated)."""

    median: Decimal = said("Half of them were at most this.")
    p75: Decimal = said("Three quarters were at most this.")
    p90: Decimal = said("Nine of ten were at most this.")
    mean: Decimal = said("The average.")
    max: Decimal | None = field(default=None, metadata={"doc": "The largest; null for durations and amounts."})


@dataclass(frozen=True, kw_only=True)
class KeptApart:
    """Amounts of one currency that could not be converted, and are not in the value."""

    currency: Currency | None = said("Their currency; null where the source does not tell.")
    value: Decimal = said("The same number of these, in their own currency.")
    n: int = said("How many amounts these are.")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number and what it is made of."""

    value: Decimal | None = said(
        "The number in the answer's unit: a count, a share between 0 and 1, money, or the median in seconds."
    )
    numerator: Decimal | None = said("What was divided, of a ratio or an average.")
    denominator: Decimal | None = said("What it was divided by, of a ratio or an average.")
    n: int = said("The denominator of a ratio, else how many rows were counted, those kept apart too.")
    implied: int = said("How many of n are in only because they skipped past the stage.")
    distribution: Distribution | None = said("The spread, of a duration or an average.")
    apart: tuple[KeptApart, ...] = said("The amounts that no rate converts to the answer's currency, by their own.")
    behind: Behind | None = field(default=None, repr=False, compare=False)  # goes along, and is not shown


@dataclass(frozen=True, kw_only=True)
class Bucket(Figure):
    """The figure of one bucket of time."""

    starts_at: datetime = said("The bucket's first instant.")
    before: datetime = said("The first instant after the bucket.")


@dataclass(frozen=True, kw_only=True)
class GroupKey:
    """One value of one dimension."""

    dimension: Dimension = said("The dimension.")
    id: str | None = said(
        "The id of the record behind the value (campaign, owner, team, pipeline, product), to filter or fetch by."
    )
    value: str | None = said("The value; null where the source was empty.")
    label: str = said("The value for a reader.")


@dataclass(frozen=True, kw_only=True)
class Group(Figure):
    """The figure of one value of the asked dimensions."""

    keys: tuple[GroupKey, ...] = said("The value of each asked dimension, in the order asked.")
    series: tuple[Bucket, ...] = said("The group's figure bucket by bucket, if a grain was asked.")


@dataclass(frozen=True, kw_only=True)
class AnswerWarning:
    """Something a reader must know before using the number."""

    code: WarningCode = said("Which warning it is.")
    message: str = said("What it means here.")
    count: int | None = said("How many it concerns.")


@dataclass(frozen=True, kw_only=True)
class AccordUsed:
    """A version of the accord that judged what was counted."""

    version: int = said("The version's number.")
    hash: str = said("The SHA-256 of its content, which signatures name.")
    is_signed: bool = said("Whether both teams signed it.")
    starts_at: datetime | None = said("Since when it is in force; null means from the beginning of time.")


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What an answer was computed from."""

    warnings: tuple[AnswerWarning, ...] = said("What a reader must know before using the number.")
    is_canonical: bool = said("Whether every switch was left at its default.")
    overrides: tuple[str, ...] = said("The switches that were not, such as `skip=EXCLUDE`.")
    accords: tuple[AccordUsed, ...] = said("The versions of the accord that judged what was counted.")
    as_of: datetime = said("Only what happened before this instant counts.")
    data_watermark: datetime | None = said("When the last fact behind the answer was recorded.")
    sql: str = said("The statement that answered, for those who want to check it.")


@dataclass(frozen=True, kw_only=True)
class KpiAnswer(Figure, Provenance):
    """The answer to one question about one KPI."""

    key: str = said("The KPI's key.")
    title: str = said("The KPI's name for a reader.")
    definition: str = said("What it counts, in plain words.")
    unit: Unit = said("What the value measures.")
    currency: Currency | None = said(
        "The currency of a money value: the accord's, or where it names none, the only one there is."
    )
    series: tuple[Bucket, ...] = said("The figure bucket by bucket, if a grain was asked.")
    breakdown: tuple[Group, ...] = said("The figure by the asked dimensions.")


@dataclass(frozen=True, kw_only=True)
class FunnelStep:
    """One stage of a funnel that follows the people who entered the first stage in the period."""

    key: str = said("The stage's key.")
    title: str = said("The stage's title.")
    group: str = said("The stage's group, such as Prospect.")
    reached: int | None = said("How many of the cohort reached the stage up to `asOf`; null where no contact is known.")
    implied: int | None = said("How many of these are in only because they skipped past it.")
    open: int | None = said("How many of these have not reached the next stage and can still do so.")
    step: Decimal | None = said(
        "Reached here divided by reached one stage before; null for the first stage or nothing to divide by."
    )
    overall: Decimal | None = said("Reached here divided by the cohort; null if the cohort is empty.")
    entered: int | None = said(
        "Another population: how many people first entered this stage in the period; null where no contact is known."
    )
    entered_implied: int | None = said("How many of `entered` are in only because they skipped past it.")
    behind: Behind | None = field(default=None, repr=False, compare=False)  # goes along, and is not shown


@dataclass(frozen=True, kw_only=True)
class FunnelGroup:
    """The funnel of one value of the asked dimension."""

    keys: tuple[GroupKey, ...] = said("The value of the asked dimension.")
    stages: tuple[FunnelStep, ...] = said("The stages, from the first up.")


@dataclass(frozen=True, kw_only=True)
class FunnelAnswer(Provenance):
    """The funnel: how far the people got who entered the first stage in the period."""

    stages: tuple[FunnelStep, ...] = said("The stages, from the first up.")
    breakdown: tuple[FunnelGroup, ...] = said("The same by the asked dimension.")
