"""The accord document: what both teams agree that each stage means. Models only; `api/funnel` judges by them.

A document is written as TOML, kept as canonical JSON and named by the SHA-256 of that. A new rule leaf is one class
here, in `Rule`, and its compilation in `api/funnel`.
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


class Part(BaseModel):
    """Any part of the document: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, data: object) -> object:
        if isinstance(data, dict):
            for key, value in data.items():
                if any(
                    isinstance(each, str) and "\0" in each for each in (value if isinstance(value, list) else [value])
                ):
                    raise ValueError(f"{key} has a character that no database keeps (U+0000)")
        return data


class AllOf(Part):
    """True when every part is; of nothing, while the contact exists."""

    all: "tuple[Rule, ...]"


class AnyOf(Part):
    """True when at least one part is."""

    any: "tuple[Rule, ...]" = Field(min_length=1)


class Not(Part):
    """True when the part is not."""

    negated: "Rule" = Field(alias="not")


Operator = Literal["eq", "ne", "lt", "lte", "gt", "gte", "in", "is_null"]


class FieldIs(Part):
    """A column of the contact, or of its company, as it was at the time. Null satisfies nothing but `is_null`."""

    field: str
    op: Operator
    value: Value | tuple[Value, ...]

    @property
    def table(self) -> Literal["contact", "company"]:
        """Whose column it is."""
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
        # A field or operator that is wrong itself has been told already.
        if "field" not in info.data or "op" not in info.data:
            return value
        return rule_value(info.data["field"], info.data["op"], value)


class TouchFilter(Part):
    """Which touchpoints count, how many, and how recent."""

    channel: Annotated[tuple[Channel, ...], BeforeValidator(_as_list)] = ()
    kind: Annotated[tuple[TouchKind, ...], BeforeValidator(_as_list)] = ()
    direction: Direction | None = None
    team: TeamKind | None = None
    campaign: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()
    outcome: Annotated[tuple[TouchOutcome, ...], BeforeValidator(_as_list)] = ()
    at_least: int = Field(default=1, ge=1, le=1000)
    within: Duration | None = None


class Touches(Part):
    """True when so many matching touchpoints lie in `(t - within, t]`."""

    touches: TouchFilter


class HandoffIs(Part):
    """True when a handoff has that status: PROPOSED from handing over on, the others from the decision."""

    handoff: HandoffStatus


class DealFilter(Part):
    """Which deals count. A pipeline is named; an unknown amount reaches no threshold."""

    state: DealOutcome
    pipeline: str | None = None
    amount_at_least: Annotated[Decimal, BeforeValidator(plain_number)] | None = None


class DealIs(Part):
    """True while the contact has a role on such a deal."""

    deal: DealFilter


class StageReached(Part):
    """True when a lower stage was entered in the current segment; a rule that asks for it forbids the skip."""

    stage: str
    within: Duration | None = None


DEEPEST = 20  # levels of nesting: nobody signs a sentence that they cannot read
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
    if isinstance(value, Part):
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


class Stage(Part):
    """One rung of the ladder."""

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="The stage's key, by which requests name it.")
    title: str = Field(min_length=1, description="The stage's name for display.")
    group: str = Field(min_length=1, description="The group of stages that it belongs to, such as Prospect.")
    owner: TeamKind = Field(description="The team that is responsible for people in the stage.")
    meaning: str = Field(min_length=1, description="What the stage means, in plain words.")
    rule: Rule
    window: Duration | None = Field(
        default=None, description="How long a person has to reach the next stage, in seconds; null: no limit."
    )
    needs: tuple[str, ...] = Field(
        default=(), description="The fields that have to be filled in, such as contact.email."
    )

    @field_validator("needs")
    @classmethod
    def _known_columns(cls, needs: tuple[str, ...]) -> tuple[str, ...]:
        for each in needs:
            rule_column(each)
        return needs


class RejectReason(Part):
    """Why sales may refuse a person, and what follows from it."""

    code: str = Field(pattern=r"^[A-Z][A-Z0-9_]{0,39}$", description="The reason's code.")
    label: str = Field(min_length=1, description="The reason for display.")
    disposition: Disposition = Field(description="What happens to the person.")
    fault: FaultDomain = Field(description="The side that caused the rejection.")


class Exit(Part):
    """A fact that ends open entries, from one stage of the ladder up to another."""

    on: Literal["HANDOFF_REJECTED", "DEAL_LOST"] = Field(description="The fact that ends the entries.")
    dispositions: tuple[Disposition, ...] = Field(
        default=(), description="Of a rejected handoff: only rejections with one of these dispositions."
    )
    closes_from: str = Field(description="The key of the lowest stage whose entries end.")
    closes_to: str = Field(description="The key of the highest stage whose entries end.")

    @model_validator(mode="after")
    def _dispositions_of_rejections(self) -> Self:
        if (self.on == "HANDOFF_REJECTED") != bool(self.dispositions):
            raise ValueError("an exit on HANDOFF_REJECTED names its dispositions, one on DEAL_LOST has none")
        if Disposition.RETURN_FOR_DATA in self.dispositions:
            raise ValueError("RETURN_FOR_DATA is no exit: the handoff goes on")
        return self


class Exemptions(Part):
    """Which of our touches do not count as pressure."""

    automated: bool = Field(default=False, description="Whether automated touches do not count.")
    reply_within: Duration | None = Field(
        default=None,
        description="A reply within this many seconds after an inbound touch of the person does not count; null:"
        " replies count.",
    )


class ContactPolicy(Part):
    """How often a person may be touched, by both teams together: over the policy once more lie in `(t - within, t]`."""

    at_most: int = Field(ge=1, le=1000, description="The number of outbound touches that the policy allows.")
    within: Duration = Field(
        description="The length of the rolling window that the touches are counted in, in seconds."
    )
    exempt: Exemptions = Exemptions()


class Reporting(Part):
    """How answers are cut: zone, weeks, years, currency, and who is never counted."""

    timezone: str = Field(default="UTC", description="The time zone in which days start (IANA name).")
    week_start: Literal["MONDAY", "SUNDAY"] = Field(
        default="MONDAY", description="The day on which weeks start: MONDAY or SUNDAY."
    )
    fiscal_year_start_month: int = Field(
        default=1, ge=1, le=12, description="The month in which the fiscal year starts, from 1."
    )
    currency: Currency | None = Field(
        default=None, description="The currency of money values in KPIs; null if none is agreed."
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
            raise ValueError(f"'{name}' is no IANA time zone; write one like Europe/Berlin") from error
        return name


class Accord(Part):
    """The whole document."""

    title: str = Field(min_length=1, description="The accord's name for display.")
    stages: tuple[Stage, ...] = Field(min_length=1, description="The stages, from the lowest to the highest.")
    exits: tuple[Exit, ...] = Field(default=(), description="The facts that end open stage entries.")
    reject_reasons: tuple[RejectReason, ...] = Field(
        default=(), description="The reasons for which sales may reject a person."
    )
    contact_policy: ContactPolicy | None = Field(
        default=None, description="How often a person may be contacted; null if nothing is agreed."
    )
    reporting: Reporting = Field(default=Reporting(), description="How KPIs are reported.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        keys = [stage.key for stage in self.stages]
        codes = [reason.code for reason in self.reject_reasons]
        for name, values in (("stage", keys), ("reject reason", codes)):
            twice = sorted({each for each in values if values.count(each) > 1})
            if twice:
                raise ValueError(f"{name} {', '.join(twice)} is there twice; keys must differ")
        for each in self.exits:
            _check_exit(each, keys)
        for rank, stage in enumerate(self.stages):
            if depth(stage.rule) > DEEPEST:
                raise ValueError(
                    f"the rule of stage {stage.key} is nested more than {DEEPEST} deep; say it more plainly"
                )
            for leaf in leaves(stage.rule):
                if isinstance(leaf, StageReached) and leaf.stage not in keys[:rank]:
                    lower = _listed(keys[:rank])
                    raise ValueError(
                        f"stage {stage.key} asks for {leaf.stage}, which is no lower stage; lower ones are {lower}"
                    )
        return self

    def rank(self, key: str) -> int:
        """The stage's place on the ladder, from 1; KeyError if there is no such stage."""
        for place, stage in enumerate(self.stages, start=1):
            if stage.key == key:
                return place
        raise KeyError(key)

    def window(self, base: str, target: str) -> timedelta | None:
        """The sum of the windows from one stage up to another; none if one of them is none."""
        between = [stage.window for stage in self.stages[self.rank(base) - 1 : self.rank(target) - 1]]
        if any(each is None for each in between):
            return None
        return sum((each for each in between if each is not None), timedelta(0))

    def canonical(self) -> str:
        """The document as canonical JSON: sorted keys, no spaces, defaults said in full (signers sign them too)."""
        body = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def content_hash(self) -> str:
        """SHA-256 of the canonical JSON, in hex. Signatures name it."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def leaves(rule: Rule) -> tuple[FieldIs | Touches | HandoffIs | DealIs | StageReached, ...]:
    """The leaves of a rule, from left to right."""
    match rule:
        case AllOf(all=parts) | AnyOf(any=parts):
            return tuple(leaf for part in parts for leaf in leaves(part))
        case Not(negated=part):
            return leaves(part)
        case _:
            return (rule,)


def depth(rule: Rule) -> int:
    """How many levels of all, any and not a rule has above its deepest leaf."""
    match rule:
        case AllOf(all=parts) | AnyOf(any=parts):
            return 1 + max((depth(part) for part in parts), default=0)
        case Not(negated=part):
            return 1 + depth(part)
        case _:
            return 0


def _check_exit(each: Exit, keys: list[str]) -> None:
    for key in (each.closes_from, each.closes_to):
        if key not in keys:
            raise ValueError(f"an exit closes {key}, which is no stage; stages are {_listed(keys)}")
    if keys.index(each.closes_from) > keys.index(each.closes_to):
        raise ValueError(f"an exit closes from {each.closes_from} up to {each.closes_to}, which is lower")


def _listed(words: list[str]) -> str:
    return ", ".join(words) or "none"
