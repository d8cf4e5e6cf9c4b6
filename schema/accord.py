"""The accord document: what both teams agree that each stage means. Models only; `api/funnel` judges by them.

A document is written as TOML, kept as canonical JSON and named by the SHA-256 of that. A new rule leaf is one class
here, in `Rule`, and its compilation in `api/funnel`.
"""

import hashlib
import json
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    field_validator,
    model_validator,
)

from schema.base import ColumnShape
from schema.tables import SHAPES
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

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_DURATION = re.compile(r"(\d+) ?(second|minute|hour|day|week|s|min|h|d|w)s?")
_SHORT = {"s": "second", "min": "minute", "h": "hour", "d": "day", "w": "week"}


def parse_duration(text: object) -> object:
    """Read `30 days`, `14 d` or `72 hours`: elapsed time, a day being 24 hours. Other values pass to the validator."""
    if not isinstance(text, str):
        return text
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"'{text}' is no duration; write a whole number and seconds, minutes, hours, days or weeks, like '30 days'"
        )
    return timedelta(seconds=int(found[1]) * _UNITS[_SHORT.get(found[2], found[2])])


def format_duration(length: timedelta) -> str:
    """Write a duration in the largest unit up to days that holds it exactly."""
    seconds = int(length.total_seconds())
    unit = next(each for each in ("day", "hour", "minute", "second") if seconds % _UNITS[each] == 0)
    count = seconds // _UNITS[unit]
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


Duration = Annotated[
    timedelta, BeforeValidator(parse_duration), Field(gt=timedelta(0)), PlainSerializer(format_duration)
]


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Part(BaseModel):
    """Any part of the document: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


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
Scalar = bool | int | Decimal | date | str


class FieldIs(Part):
    """A column of the contact, or of its company, as it was at the time. Null satisfies nothing but `is_null`."""

    field: str
    op: Operator
    value: Scalar | tuple[Scalar, ...]

    @property
    def table(self) -> Literal["contact", "company"]:
        """Whose column it is."""
        return "company" if self.field.startswith("company.") else "contact"

    @property
    def column(self) -> str:
        """The column's name."""
        return self.field.partition(".")[2]

    @model_validator(mode="after")
    def _known(self) -> Self:
        column = _rule_column(self.field)
        if self.op == "is_null":
            if not isinstance(self.value, bool):
                raise ValueError(f"{self.field}: is_null takes true or false")
            return self
        if (self.op == "in") != isinstance(self.value, tuple):
            raise ValueError(f"{self.field}: 'in' takes a list, every other operator one value")
        for each in self.value if isinstance(self.value, tuple) else (self.value,):
            _check_value(self.field, column, self.op, each)
        return self


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
    amount_at_least: Decimal | None = None


class DealIs(Part):
    """True while the contact has a role on such a deal."""

    deal: DealFilter


class StageReached(Part):
    """True when a lower stage was entered in the current segment; a rule that asks for it forbids the skip."""

    stage: str
    within: Duration | None = None


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

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    title: str = Field(min_length=1)
    group: str = Field(min_length=1)
    owner: TeamKind
    meaning: str = Field(min_length=1)
    rule: Rule
    window: Duration | None = None
    needs: tuple[str, ...] = ()

    @field_validator("needs")
    @classmethod
    def _known_columns(cls, needs: tuple[str, ...]) -> tuple[str, ...]:
        for each in needs:
            _rule_column(each)
        return needs


class RejectReason(Part):
    """Why sales may refuse a person, and what follows from it."""

    code: str = Field(pattern=r"^[A-Z][A-Z0-9_]{0,39}$")
    label: str = Field(min_length=1)
    disposition: Disposition
    fault: FaultDomain


class Exit(Part):
    """A fact that ends open entries, from one stage of the ladder up to another."""

    on: Literal["HANDOFF_REJECTED", "DEAL_LOST"]
    dispositions: tuple[Disposition, ...] = ()
    closes_from: str
    closes_to: str

    @model_validator(mode="after")
    def _dispositions_of_rejections(self) -> Self:
        if (self.on == "HANDOFF_REJECTED") != bool(self.dispositions):
            raise ValueError("an exit on HANDOFF_REJECTED names its dispositions, one on DEAL_LOST has none")
        if Disposition.RETURN_FOR_DATA in self.dispositions:
            raise ValueError("RETURN_FOR_DATA is no exit: the handoff goes on")
        return self


class Reporting(Part):
    """How answers are cut: zone, weeks, years, currency, and who is never counted."""

    timezone: str = "UTC"
    week_start: Literal["MONDAY", "SUNDAY"] = "MONDAY"
    fiscal_year_start_month: int = Field(default=1, ge=1, le=12)
    currency: Currency | None = None
    exclude: tuple[Literal["TEST", "INTERNAL"], ...] = ("TEST", "INTERNAL")

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

    title: str = Field(min_length=1)
    stages: tuple[Stage, ...] = Field(min_length=1)
    exits: tuple[Exit, ...] = ()
    reject_reasons: tuple[RejectReason, ...] = ()
    reporting: Reporting = Reporting()

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


def _check_exit(each: Exit, keys: list[str]) -> None:
    for key in (each.closes_from, each.closes_to):
        if key not in keys:
            raise ValueError(f"an exit closes {key}, which is no stage; stages are {_listed(keys)}")
    if keys.index(each.closes_from) > keys.index(each.closes_to):
        raise ValueError(f"an exit closes from {each.closes_from} up to {each.closes_to}, which is lower")


def _rule_column(field: str) -> ColumnShape:
    """The column that a rule may read; the history of hidden ones is not kept."""
    table, _, name = field.partition(".")
    allowed = {each.name: each for each in SHAPES[table].visible} if table in ("contact", "company") else {}
    if name not in allowed:
        known = _listed(sorted(allowed)) if allowed else "contact.… and company.…"
        raise ValueError(f"'{field}' is no field that a rule may read; there are {known}")
    return allowed[name]


def _check_value(field: str, column: ColumnShape, op: str, value: Scalar) -> None:
    words = column.note.vocab
    if words is not None and value not in [word.value for word in words]:
        raise ValueError(f"{field}: '{value}' is none of {_listed([word.value for word in words])}")
    wanted: dict[type, tuple[type, ...]] = {int: (int,), Decimal: (int, Decimal), bool: (bool,)}
    fits = isinstance(value, wanted.get(column.python, (str,))) and (
        column.python is bool or not isinstance(value, bool)
    )
    if not fits:
        raise ValueError(f"{field}: '{value}' is no {column.python.__name__}")
    if op in ("lt", "lte", "gt", "gte") and column.python in (bool, str):
        raise ValueError(f"{field}: a {column.python.__name__} has no order; use eq, ne, in or is_null")


def _listed(words: list[str]) -> str:
    return ", ".join(words) or "none"
