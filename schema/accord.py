"""The models of an accord document: what both teams agree that each stage means. `api/funnel` evaluates them.

A document is written as TOML, stored as canonical JSON, and identified by the SHA-256 of that JSON. The descriptions
of the fields are also those of the GraphQL types. `schema/rules.py` has the rules.
"""

import hashlib
import json
from datetime import timedelta
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    Field,
    field_validator,
    model_validator,
)

from schema.durations import Duration
from schema.fiscal_calendar import FiscalCalendar, FiscalYearName
from schema.rule_values import rule_column
from schema.rules import DEEPEST, AccordModel, Rule, StageReached, depth, leaves
from schema.vocab import (
    Currency,
    Disposition,
    FaultDomain,
    TeamKind,
)

NOT_READ_YET = "Not read yet: it waits for"


def waits_for(reader: str) -> str:
    """The end of the description of a setting that no answer reads yet, with the reader that will."""
    return f" {NOT_READ_YET} {reader}."


class Stage(AccordModel):
    """A stage of the funnel, as both teams agreed it."""

    key: str = Field(
        pattern=r"^[a-z][a-z0-9_]{0,39}$", description="The stage's key, which requests and other rules use."
    )
    title: str = Field(min_length=1, description="The stage's name for readers.")
    group: str = Field(min_length=1, description="The group that the stage belongs to, such as Prospect.")
    owner: TeamKind = Field(
        description="The team responsible for people in the stage." + waits_for("the scorecard of the two teams")
    )
    meaning: str = Field(min_length=1, description="The meaning of the stage, in plain words.")
    rule: Rule = Field(description="The entry rule: a contact enters the stage when it becomes true.")
    window: Duration | None = Field(
        default=None,
        description="How long a person has to reach the next stage, such as 14 days, whose last instant is included; "
        "null for no time limit.",
    )
    needs: tuple[str, ...] = Field(
        default=(),
        description="The fields that have to be filled in, such as contact.email."
        + waits_for("the completeness of what marketing hands over"),
    )

    @field_validator("needs")
    @classmethod
    def _known_columns(cls, needs: tuple[str, ...]) -> tuple[str, ...]:
        for field in needs:
            rule_column(field)
        return needs


class RejectReason(AccordModel):
    """A reason for which sales may reject a handoff, and what follows from it."""

    code: str = Field(pattern=r"^[A-Z][A-Z0-9_]{0,39}$", description="The reason's code, which a handoff stores.")
    label: str = Field(min_length=1, description="The reason for readers.")
    disposition: Disposition = Field(description="What happens to the person.")
    fault: FaultDomain = Field(
        description="The side on which the cause lies." + waits_for("the feedback of rejections by side")
    )


class Exit(AccordModel):
    """A fact that ends the open entries of some stages."""

    on: Literal["HANDOFF_REJECTED", "DEAL_LOST"] = Field(
        description="The fact: a rejected handoff, or a lost deal whose amount is not negative."
    )
    dispositions: tuple[Disposition, ...] = Field(
        default=(), description="Only handoffs rejected with one of these dispositions; empty for a lost deal."
    )
    closes_from: str = Field(description="The key of the lowest stage whose entries end.")
    closes_to: str = Field(description="The key of the highest stage whose entries end.")

    @model_validator(mode="after")
    def _dispositions_of_rejections(self) -> Self:
        if (self.on == "HANDOFF_REJECTED") != bool(self.dispositions):
            raise ValueError("an exit on HANDOFF_REJECTED needs dispositions; an exit on DEAL_LOST must not have any")
        if Disposition.RETURN_FOR_DATA in self.dispositions:
            raise ValueError("RETURN_FOR_DATA cannot end an entry, because the handoff continues; remove it")
        return self


class Exemptions(AccordModel):
    """Which outbound touches do not count as contact pressure."""

    automated: bool = Field(default=False, description="Whether automated touches do not count.")
    reply_within: Duration | None = Field(
        default=None,
        description="A reply less than this after the person's own touch does not count; null: every reply counts.",
    )


class ContactPolicy(AccordModel):
    """How often both teams together may touch a person, over all channels.

    A person is over the policy while more than `at_most` touches lie in `(t - within, t]`.
    """

    at_most: int = Field(ge=1, le=1000, description="The highest number of outbound touches within the policy.")
    within: Duration = Field(description="A touch counts while it is younger than this, such as 7 days.")
    exempt: Exemptions = Field(default=Exemptions(), description="The outbound touches that do not count.")


class Reporting(AccordModel):
    """How results are reported: time zone, weeks, fiscal years, currency, and who is never counted."""

    timezone: str = Field(default="UTC", description="The time zone in which days begin (IANA name).")
    week_start: Literal["MONDAY", "SUNDAY"] = Field(default="MONDAY", description="The day on which weeks begin.")
    fiscal_year_start_month: int = Field(
        default=1, ge=1, le=12, description="The month in which the fiscal year begins, 1 to 12."
    )
    fiscal_year_named_by: FiscalYearName = Field(
        default="END",
        description="The calendar year that names a fiscal year: the one in which it begins (START) or ends (END).",
    )
    currency: Currency | None = Field(
        default=None, description="The currency in which money is reported; null if none is agreed."
    )
    exclude: tuple[Literal["TEST", "INTERNAL"], ...] = Field(
        default=("TEST", "INTERNAL"), description="Who is never counted: TEST records, INTERNAL people."
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"'{name}' is not an IANA time zone; write one such as Europe/Berlin") from error
        return name

    @property
    def fiscal_calendar(self) -> FiscalCalendar:
        """The fiscal years and quarters that were agreed."""
        return FiscalCalendar(self.fiscal_year_start_month, self.fiscal_year_named_by)


_YOUNGER_KEYS = (("reporting", "fiscal_year_named_by"),)


class Accord(AccordModel):
    """An accord document: the agreement of sales and marketing by which every number is computed."""

    title: str = Field(min_length=1, description="The name of the accord.")
    stages: tuple[Stage, ...] = Field(min_length=1, description="The stages of the funnel, from the lowest up.")
    exits: tuple[Exit, ...] = Field(default=(), description="The facts that end entries.")
    reject_reasons: tuple[RejectReason, ...] = Field(
        default=(), description="The reasons for which sales may reject a handoff."
    )
    contact_policy: ContactPolicy | None = Field(
        default=None, description="How often a person may be touched; null if nothing is agreed."
    )
    reporting: Reporting = Field(default=Reporting(), description="How results are reported.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        keys = [stage.key for stage in self.stages]
        codes = [reason.code for reason in self.reject_reasons]
        for name, values in (("stage", keys), ("reject reason", codes)):
            repeated = sorted({value for value in values if values.count(value) > 1})
            if repeated:
                raise ValueError(f"{name} {', '.join(repeated)} appears more than once; give each one another key")
        for leaving in self.exits:
            _check_exit(leaving, keys)
        for rank, stage in enumerate(self.stages):
            if depth(stage.rule) > DEEPEST:
                raise ValueError(
                    f"the rule of stage {stage.key} is nested more than {DEEPEST} levels deep; simplify it"
                )
            for leaf in leaves(stage.rule):
                if isinstance(leaf, StageReached) and leaf.stage not in keys[:rank]:
                    lower = _listed(keys[:rank])
                    raise ValueError(
                        f"the rule of stage {stage.key} names the stage {leaf.stage}, which is not a lower stage;"
                        f" lower stages: {lower}"
                    )
        return self

    def rank(self, key: str) -> int:
        """The rank of a stage, from 1 for the lowest; KeyError if there is no such stage."""
        for rank, stage in enumerate(self.stages, start=1):
            if stage.key == key:
                return rank
        raise KeyError(key)

    def window(self, base: str, target: str) -> timedelta | None:
        """The sum of the windows from one stage up to another; None if one of them has no limit."""
        windows = [stage.window for stage in self.stages[self.rank(base) - 1 : self.rank(target) - 1]]
        if any(window is None for window in windows):
            return None
        return sum((window for window in windows if window is not None), timedelta(0))

    def canonical(self) -> str:
        """The document as canonical JSON: sorted keys, no spaces, defaults included, because they are signed too.

        A key that is younger than the first signatures is left out while it has its default, so that a document that
        does not state it keeps its hash.
        """
        body = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        for section, key in _YOUNGER_KEYS:
            if body[section][key] == type(getattr(self, section)).model_fields[key].default:
                del body[section][key]
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def content_hash(self) -> str:
        """The SHA-256 of the canonical JSON, in hex; it is what a signature signs."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def _check_exit(leaving: Exit, keys: list[str]) -> None:
    first, last = leaving.closes_from, leaving.closes_to
    for key in (first, last):
        if key not in keys:
            raise ValueError(f"an exit closes {key}, which is not a stage; stages: {_listed(keys)}")
    if keys.index(first) > keys.index(last):
        raise ValueError(f"an exit closes {first} up to {last}, which is the lower stage; swap them")


def _listed(words: list[str]) -> str:
    return ", ".join(words) or "none"
