"""The rules of an accord: a tree of `all`, `any` and `not` over leaves. `api/funnel` evaluates them.

The descriptions of the fields are also those of the GraphQL types. schema/README.md has the recipe for a new leaf.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

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

from schema.clauses.rule_values import Value, plain_number, points_number, rule_column, rule_value
from schema.durations import Duration
from schema.formats import SOURCE_NAME
from schema.vocab import (
    Channel,
    DealOutcome,
    Direction,
    HandoffStatus,
    TeamKind,
    TouchKind,
    TouchOutcome,
)

_AFTER = (
    "The key of a lower stage: only what happens later than its entry in the present segment counts, whether the stage "
    "was entered by its own rule or implied; null for any time."
)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class AccordModel(BaseModel):
    """The base of every model in the document: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other values, without what was computed from the former ones (`cached_property`)."""
        copied = super().model_copy(update=update, deep=deep)
        for computed in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[computed]
        return copied

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
    """Which touchpoints count."""

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


class TouchCount(TouchFilter):
    """Which touchpoints count, how many of them are needed, and how recent they must be."""

    at_least: int = Field(default=1, ge=1, le=1000, description="How many matching touchpoints are needed.")
    within: Duration | None = Field(
        default=None,
        description="A touchpoint counts while it is younger than this, such as 30 days; null for any age.",
    )
    after: str | None = Field(default=None, description=_AFTER)


class Touches(AccordModel):
    """True at t when at least `at_least` matching touchpoints lie in `(t - within, t]`."""

    touches: TouchCount = Field(description="The touchpoints that count, and how many are needed.")


class ScoreTerm(TouchFilter):
    """What a matching touchpoint adds to the score."""

    points: Annotated[Decimal, BeforeValidator(points_number)] = Field(
        description="How many points a matching touchpoint adds; a negative number subtracts."
    )

    @field_validator("points")
    @classmethod
    def _not_zero(cls, points: Decimal) -> Decimal:
        if points == 0:
            raise ValueError("0 points change no score; give the term other points, or remove it")
        return points


class ScoreSum(AccordModel):
    """The points that touchpoints add up to, and how many are needed."""

    terms: tuple[ScoreTerm, ...] = Field(
        min_length=1,
        max_length=50,
        description="What adds points. A touchpoint that matches several terms adds the points of all of them.",
    )
    half_life: Duration | None = Field(
        default=None,
        description="The time in which points lose half of their value, such as 30 days; null if they keep it. Between "
        "two touchpoints the score falls at whole seconds.",
    )
    at_least: Annotated[Decimal, BeforeValidator(points_number)] = Field(
        description="The score that is needed. The score is rounded to 6 places."
    )

    @field_validator("at_least")
    @classmethod
    def _positive(cls, at_least: Decimal) -> Decimal:
        if at_least <= 0:
            raise ValueError(f"'{at_least}' must be above 0: a person without touchpoints has a score of 0")
        return at_least

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if all(term.points < 0 for term in self.terms):
            raise ValueError("no term adds points, so that no score is reached; give one a positive number")
        return self


class Score(AccordModel):
    """True at t when the points of the touchpoints up to t, halved with every half-life since, reach `at_least`."""

    score: ScoreSum = Field(description="The points of touchpoints, and the score that is needed.")


class Silence(AccordModel):
    """True at t when no touchpoint lies in `(t - silence, t]`, and the person has been known for that long."""

    silence: Duration = Field(description="How long nobody touched the person, such as 90 days.")


class HandoffIs(AccordModel):
    """True while a handoff has the status: PROPOSED from the handover on, the others from the decision on."""

    handoff: HandoffStatus = Field(description="The status that a handoff of the contact must have.")
    after: str | None = Field(default=None, description=_AFTER)


class ReportFilter(AccordModel):
    """The stages of a source system that count."""

    source: str = Field(
        pattern=SOURCE_NAME, description="The source system, as the import preset names it, such as hubspot."
    )
    stage: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_as_list)] = Field(
        min_length=1,
        description="The stages that count, as the source system writes them. For a stage and all above it in the "
        "order of the source, list all of them.",
    )

    @field_validator("stage")
    @classmethod
    def _distinct(cls, stages: tuple[str, ...]) -> tuple[str, ...]:
        repeated = sorted({stage for stage in stages if stages.count(stage) > 1})
        if repeated:
            raise ValueError(f"'{repeated[0]}' is listed twice; remove one of them")
        return stages


class Reported(AccordModel):
    """True at t when the last stage that the source system reported for the person up to t is one of these.

    A report whose date is unknown counts from the instant at which Accord stored it. If a source reports several stages
    at one instant, all of them count.
    """

    reported: ReportFilter = Field(description="The source system, and its stages that count.")


class DealFilter(AccordModel):
    """Which deals count. A deal does not count while its amount is negative; an unknown amount is not negative."""

    state: DealOutcome = Field(description="Whether the deal is open, won or lost.")
    pipeline: str | None = Field(
        default=None, description="Only deals in the pipeline with this name; null for all pipelines."
    )
    amount_at_least: Annotated[Decimal, BeforeValidator(plain_number)] | None = Field(
        default=None,
        description="Only deals of at least this amount, in the deal's currency; unknown amounts never count.",
    )


class DealIs(AccordModel):
    """True while the contact has a role in a matching deal whose amount is not negative."""

    deal: DealFilter = Field(description="The deals that count.")


class StageReached(AccordModel):
    """True when a lower stage was entered in the current segment. With this leaf a stage cannot skip that stage."""

    stage: str = Field(description="The key of the lower stage.")
    within: Duration | None = Field(
        default=None,
        description="It was entered less than this long ago, such as 14 days; null for any time.",
    )


FactLeaf = Touches | Score | Silence | HandoffIs | Reported | DealIs | StageReached
RuleLeaf = FieldIs | FactLeaf

DEEPEST = 20  # levels of nesting; a deeper rule makes a sentence that nobody can read and sign
_KINDS: dict[str, type[AccordModel]] = {
    "all": AllOf,
    "any": AnyOf,
    "not": Not,
    "field": FieldIs,
    "touches": Touches,
    "score": Score,
    "silence": Silence,
    "handoff": HandoffIs,
    "reported": Reported,
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
    | Annotated[Score, Tag("score")]
    | Annotated[Silence, Tag("silence")]
    | Annotated[HandoffIs, Tag("handoff")]
    | Annotated[Reported, Tag("reported")]
    | Annotated[DealIs, Tag("deal")]
    | Annotated[StageReached, Tag("stage")],
    Discriminator(
        _kind_of,
        custom_error_type="unknown_rule",
        custom_error_message=f"a rule is a table with one of the keys {', '.join(_KINDS)}",
    ),
]


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


def stage_read(leaf: RuleLeaf) -> str | None:
    """The key of the lower stage whose entries a leaf reads; None if it reads none."""
    match leaf:
        case StageReached(stage=key) | HandoffIs(after=key) | Touches(touches=TouchCount(after=key)):
            return key
        case _:
            return None


def rule_kind(value: object) -> str | None:
    """The key that makes a table or model a rule, such as `touches`, or None. Locations of errors have it."""
    return _kind_of(value)


def rule_model(kind: str) -> type[AccordModel]:
    """The model of the rules with that key; KeyError if there is none."""
    return _KINDS[kind]


def is_rule(model: type[BaseModel]) -> bool:
    """Whether a model is that of a rule."""
    return model in _KINDS.values()
