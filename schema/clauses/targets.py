"""Targets: the values that a KPI is to reach in a period."""

import re
from decimal import Decimal
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, ValidationInfo, model_validator

from schema.clauses.newer_words import NewerWord, OrNewer, is_stored
from schema.clauses.rule_values import plain_number
from schema.clauses.rules import AccordModel
from schema.durations import Duration
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import TeamKind

_PERIOD = re.compile(r"[0-9]{4}(-Q[1-4]|-(0[1-9]|1[0-2]))?|FY[0-9]{4}(-Q[1-4])?")


def _period(value: object, info: ValidationInfo) -> object:
    if is_stored(info) and isinstance(value, str):  # a newer release may have other periods
        return value
    if isinstance(value, int) and not isinstance(value, bool):  # TOML: period = 2027
        value = str(value)
    if not isinstance(value, str) or not _PERIOD.fullmatch(value):
        raise ValueError(
            f"'{value}' is not a year, quarter or month; write one such as 2027, 2027-Q1 or 2027-03, or a fiscal one"
            " such as FY2027 or FY2027-Q1"
        )
    return value


_Written = Annotated[str, Field(pattern=f"^({_PERIOD.pattern})$")] | Annotated[int, Field(ge=1000, le=9999)]
PeriodName = Annotated[str, BeforeValidator(_period, json_schema_input_type=_Written)]


class TargetSlice(AccordModel):
    """The part of a KPI that a target is for: one value of a dimension."""

    dimension: Annotated[Dimension | NewerWord, OrNewer(Dimension)] = Field(
        description="The dimension, which the KPI can be broken down by; null for one of a newer release, which the "
        "target's `sentence` names."
    )
    value: str = Field(min_length=1, description="Its value, as results show it.")


class Target(AccordModel):
    """The value that a KPI is to reach in a period."""

    kpi: str = Field(description="The KPI's key.")
    period: PeriodName = Field(
        description="The year, quarter or month, such as 2027-Q1; with FY in front a fiscal one, such as FY2027."
    )
    value: Annotated[Decimal, BeforeValidator(plain_number)] | None = Field(
        default=None,
        description="The value, in the KPI's unit: a share from 0 to 1, or money in the reporting currency; null for "
        "a KPI whose value is a duration.",
    )
    duration: Duration | None = Field(
        default=None,
        description="The value of a KPI that is a duration, such as 4 hours; null for other KPIs.",
    )
    only: TargetSlice | None = Field(
        default=None, description="The part of the KPI that it is for; null for all of it."
    )
    team: Annotated[TeamKind | NewerWord, OrNewer(TeamKind)] | None = Field(
        default=None,
        description="The team that is to reach it; null for both teams, and for a team of a newer release, which "
        "`sentence` names.",
    )

    @model_validator(mode="after")
    def _one_value(self) -> Self:
        if (self.value is None) == (self.duration is None):
            raise ValueError("a target has either a value or a duration; state one of them")
        return self

    @property
    def has_known_period(self) -> bool:
        """Whether its period is one that this release can read."""
        return _PERIOD.fullmatch(self.period) is not None

    @property
    def newer_words(self) -> tuple[str, ...]:
        """What it names that this release does not have, beside a KPI: such as `the dimension MOOD`."""
        named = (
            ("dimension", self.only.dimension if self.only and isinstance(self.only.dimension, NewerWord) else None),
            ("team", self.team if isinstance(self.team, NewerWord) else None),
            ("period", None if self.has_known_period else self.period),
        )
        return tuple(f"the {noun} {word}" for noun, word in named if word is not None)
