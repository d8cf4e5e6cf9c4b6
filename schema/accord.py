"""The models of an accord document: what both teams agree that each stage means. `api/funnel` evaluates them.

A document is written as TOML, stored as canonical JSON, and identified by the SHA-256 of that JSON. The descriptions
of the fields are also those of the GraphQL types. schema/README.md has the recipe for a new rule leaf.
"""

import hashlib
import json
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from schema.durations import Duration
from schema.rule_values import Value, plain_number, rule_column, rule_value
from schema.vocab import (
    Channel,
    Currency,
    DealOutcome,
    Direction,
    Disposition,
    FaultDomain,
    HandoffStatus,
    TeamKind,
    TouchKind,
    TouchOutcome,
)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class AccordModel(BaseModel):
    """The base of every model in the document: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, data: object) -> object:
        if isinstance(data, dict):
            for key, value in data.items():
                texts = value if isinstance(value, list) else [value]
                if any(isinstance(text, str) and "\0" in text for text in texts):
                    raise ValueError(f"{key} has a character that PostgreSQL cannot store (U+0000); remove it")
        return data


class AllOf(AccordModel):
    """True when every part is. Without parts it is true as long as the contact exists."""

    all: "tuple[Rule, ...]" = Field(description="The rules that all have to be true.")


class AnyOf(AccordModel):
    """True when at least one part is."""

    any: "tuple[Rule, ...]" = Field(min_length=1, description="The rules of which at least one has to be true.")


class Not(AccordModel):
    """True when the part is not."""

    negated: "Rule" = Field(alias="not", description="The rule that must not be true.")


Operator = Literal["eq", "ne", "lt", "lte", "gt", "gte", "in", "is_null"]


class FieldIs(AccordModel):
    """A condition on a column of the contact, or of its company, with the value it had at the instant.

    A null satisfies nothing but `is_null`.
    """

    field: str = Field(description="The column: contact.NAME, or company.NAME for the contact's company.")
    op: Operator = Field(description="How the column is compared with the value.")
    value: Value | tuple[Value, ...] = Field(
        description="What the column is compared with: a list for in, true or false for is_null."
    )

    @property
    def table(self) -> Literal["contact", "company"]:
        """The table of the column."""
        return "company" if self.field.startswith("company.") else "contact"

    @property
    def column(self) -> str:
        """The column's name."""
        return self.field.partition(".")[2]

    @field_validator("field")
    @classmethod
    def _known_column(cls, field: str) -> str:
        rule_column(field)
        return field

    @field_validator("value", mode="before")
    @classmethod
    def _fitting_value(cls, value: object, info: ValidationInfo) -> object:
        # A wrong field or operator is reported by its own validator.
        if "field" not in info.data or "op" not in info.data:
            return value
        return rule_value(info.data["field"], info.data["op"], value)


class TouchFilter(AccordModel):
    """Which touchpoints count, how many of them are needed, and how recent they must be."""

    channel: Annotated[tuple[Channel, ...], BeforeValidator(_as_list)] = Field(
        default=(), description="Only touchpoints through these channels; empty for all."
    )
    kind: Annotated[tuple[TouchKind, ...], BeforeValidator(_as_list)] = Field(
        default=(), description="Only touchpoints of these kinds; empty for all."
    )
    direction: Direction | None = Field(
        default=None, description="Only touchpoints in this direction; null for both directions."
    )
    team: TeamKind | None = Field(default=None, description="Only touchpoints by this team; null for all teams.")
    campaign: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = Field(
        default=(), description="Only touchpoints of campaigns with these names; empty for all."
    )
    outcome: Annotated[tuple[TouchOutcome, ...], BeforeValidator(_as_list)] = Field(
        default=(), description="Only touchpoints with these outcomes; empty for all."
    )
    at_least: int = Field(default=1, ge=1, le=1000, description="How many matching touchpoints are needed.")
    within: Duration | None = Field(
        default=None, description="How old a touchpoint may be, such as 30 days; null for any age."
    )


class Touches(AccordModel):
    """True at t when at least `at_least` matching touchpoints lie in `(t - within, t]`."""

    touches: TouchFilter = Field(description="The touchpoints that count, and how many are needed.")


class HandoffIs(AccordModel):
    """True while a handoff has the status: PROPOSED from the handover on, the others from the decision on."""

    handoff: HandoffStatus = Field(description="The status that a handoff of the contact must have.")


class DealFilter(AccordModel):
    """Which deals count."""

    state: DealOutcome = Field(description="Whether the deal is open, won or lost.")
    pipeline: str | None = Field(
        default=None, description="Only deals in the pipeline with this name; null for all pipelines."
    )
    amount_at_least: Annotated[Decimal, BeforeValidator(plain_number)] | None = Field(
        default=None,
        description="Only deals of at least this amount, in the deal's currency; unknown amounts never count.",
    )


class DealIs(AccordModel):
    """True while the contact has a role in a matching deal."""

    deal: DealFilter = Field(description="The deals that count.")


class StageReached(AccordModel):
    """True when a lower stage was entered in the current segment. With this leaf a stage cannot skip that stage."""

    stage: str = Field(description="The key of the lower stage.")
    within: Duration | None = Field(
        default=None, description="How long ago it may have been entered, such as 14 days; null for any time."
    )


FactLeaf = Touches | HandoffIs | DealIs | StageReached
RuleLeaf = FieldIs | FactLeaf

DEEPEST = 20  # levels of nesting; a deeper rule makes a sentence that nobody can read and sign
_KINDS = {
    "all": AllOf,
    "any": AnyOf,
    "not": Not,
    "field": FieldIs,
    "touches": Touches,
    "handoff": HandoffIs,
    "deal": DealIs,
    "stage": StageReached,
}


def _kind_of(value: Any) -> str | None:  # noqa: ANN401 - raw input of any shape
    if isinstance(value, AccordModel):
        return next((kind for kind, part in _KINDS.items() if type(value) is part), None)
    return next((kind for kind in _KINDS if isinstance(value, dict) and kind in value), None)


Rule = Annotated[
    Annotated[AllOf, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[FieldIs, Tag("field")]
    | Annotated[Touches, Tag("touches")]
    | Annotated[HandoffIs, Tag("handoff")]
    | Annotated[DealIs, Tag("deal")]
    | Annotated[StageReached, Tag("stage")],
    Discriminator(
        _kind_of,
        custom_error_type="unknown_rule",
        custom_error_message=f"a rule is a table with one of the keys {', '.join(_KINDS)}",
    ),
]


class Stage(AccordModel):
    """A stage of the funnel, as both teams agreed it."""

    key: str = Field(
        pattern=r"^[a-z][a-z0-9_]{0,39}$", description="The stage's key, which requests and other rules use."
    )
    title: str = Field(min_length=1, description="The stage's name for readers.")
    group: str = Field(min_length=1, description="The group that the stage belongs to, such as Prospect.")
    owner: TeamKind = Field(description="The team responsible for people in the stage.")
    meaning: str = Field(min_length=1, description="The meaning of the stage, in plain words.")
    rule: Rule = Field(description="The entry rule: a contact enters the stage when it becomes true.")
    window: Duration | None = Field(
        default=None,
        description="How long a person has to reach the next stage, such as 14 days; null for no time limit.",
    )
    needs: tuple[str, ...] = Field(
        default=(), description="The fields that have to be filled in, such as contact.email."
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
    fault: FaultDomain = Field(description="The side on which the cause lies.")


class Exit(AccordModel):
    """A fact that ends the open entries of some stages."""

    on: Literal["HANDOFF_REJECTED", "DEAL_LOST"] = Field(description="The fact: a rejected handoff or a lost deal.")
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
        description="A reply within this time after the person's own touch does not count; null: every reply counts.",
    )


class ContactPolicy(AccordModel):
    """How often both teams together may touch a person, over all channels.

    A person is over the policy while more than `at_most` touches lie in `(t - within, t]`.
    """

    at_most: int = Field(ge=1, le=1000, description="The highest number of outbound touches within the policy.")
    within: Duration = Field(description="The length of the rolling window, such as 7 days.")
    exempt: Exemptions = Field(default=Exemptions(), description="The outbound touches that do not count.")


class Reporting(AccordModel):
    """How results are reported: time zone, weeks, fiscal years, currency, and who is never counted."""

    timezone: str = Field(default="UTC", description="The time zone in which days begin (IANA name).")
    week_start: Literal["MONDAY", "SUNDAY"] = Field(default="MONDAY", description="The day on which weeks begin.")
    fiscal_year_start_month: int = Field(
        default=1, ge=1, le=12, description="The month in which the fiscal year begins, 1 to 12."
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
        """The document as canonical JSON: sorted keys, no spaces, defaults included, because they are signed too."""
        body = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def content_hash(self) -> str:
        """The SHA-256 of the canonical JSON, in hex; it is what a signature signs."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def leaves(rule: Rule) -> tuple[RuleLeaf, ...]:
    """The leaves of a rule, from left to right."""
    match rule:
        case AllOf(all=parts) | AnyOf(any=parts):
            return tuple(leaf for part in parts for leaf in leaves(part))
        case Not(negated=part):
            return leaves(part)
        case _:
            return (rule,)


def depth(rule: Rule) -> int:
    """The number of `all`, `any` and `not` above the deepest leaf of a rule."""
    match rule:
        case AllOf(all=parts) | AnyOf(any=parts):
            return 1 + max((depth(part) for part in parts), default=0)
        case Not(negated=part):
            return 1 + depth(part)
        case _:
            return 0


def _check_exit(leaving: Exit, keys: list[str]) -> None:
    first, last = leaving.closes_from, leaving.closes_to
    for key in (first, last):
        if key not in keys:
            raise ValueError(f"an exit closes {key}, which is not a stage; stages: {_listed(keys)}")
    if keys.index(first) > keys.index(last):
        raise ValueError(f"an exit closes {first} up to {last}, which is the lower stage; swap them")


def _listed(words: list[str]) -> str:
    return ", ".join(words) or "none"
