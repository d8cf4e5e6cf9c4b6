"""The accord document: what both teams agree that each stage means. `api/funnel` evaluates it.

A document is written as TOML, stored as canonical JSON, and identified by the SHA-256 of that JSON. The descriptions
of the fields are also those of the GraphQL types. `schema/clauses` has its sections and rules.
"""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Annotated, Any, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, ValidationInfo, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError
from pydantic_core.core_schema import ErrorType

from schema.clauses.attribution import Attribution
from schema.clauses.business_time import add_business_time
from schema.clauses.calendars import BusinessCalendar
from schema.clauses.consistency import inconsistencies
from schema.clauses.contact_policy import ContactPolicy
from schema.clauses.economics import Economics
from schema.clauses.exits import Exit, RejectReason
from schema.clauses.handoff_duties import HandoffDuties
from schema.clauses.newer_words import is_stored
from schema.clauses.reporting import Reporting
from schema.clauses.rules import AccordModel
from schema.clauses.stages import Stage
from schema.clauses.targets import Target
from schema.clauses.time_limits import TimeLimit
from schema.clauses.younger_keys import YOUNGER, leave_out_younger_defaults

FORMAT = 1  # of the canonical text; a release that reads documents of another shape adds a number
_PYDANTIC_ERRORS = get_args(ErrorType)


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
    calendars: Annotated[tuple[BusinessCalendar, ...], YOUNGER] = Field(
        default=(), description="The business calendars, in whose opening time durations can be counted."
    )
    handoff: Annotated[HandoffDuties | None, YOUNGER] = Field(
        default=None, description="What the teams owe each other at the handoff; null if nothing is agreed."
    )
    attribution: Annotated[Attribution | None, YOUNGER] = Field(
        default=None, description="How the credit for deals is shared out; null if nothing is agreed."
    )
    targets: Annotated[tuple[Target, ...], YOUNGER] = Field(
        default=(), description="The values that KPIs are to reach."
    )

    economics: Annotated[Economics | None, YOUNGER] = Field(
        default=None, description="What the firm's revenue leaves and its sales cost; null if nothing is agreed."
    )

    @model_validator(mode="wrap")
    @classmethod
    def _consistent(cls, data: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:  # noqa: ANN401 - a document as it was written
        """Add what is inconsistent between sections to the errors within them, so that all are reported at once."""
        accord, errors = None, list[InitErrorDetails]()
        try:
            accord = handler(data)
        except ValidationError as error:
            errors = [_again(details) for details in error.errors(include_url=False)]
        written = data if accord is None else accord
        errors += [
            InitErrorDetails(
                type=PydanticCustomError("inconsistent", "{sentence}", {"sentence": found.message}),
                loc=found.location,
                input=written,
            )
            for found in inconsistencies(cls, written, is_stored=is_stored(info))
        ]
        if accord is None or errors:
            raise ValidationError.from_exception_data(cls.__name__, errors)
        return accord

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

    def calendar(self, key: str) -> BusinessCalendar:
        """The business calendar with a key; KeyError if there is no such calendar."""
        for calendar in self.calendars:
            if calendar.key == key:
                return calendar
        raise KeyError(key)

    def after(self, limit: TimeLimit, start: datetime) -> datetime:
        """The instant at which a limit ends that begins at the start.

        Errors: ValueError if its calendar is not open for that long in 100 years.
        """
        if limit.calendar is None:
            return start + limit.time
        calendar = self.calendar(limit.calendar)
        zone = ZoneInfo(calendar.timezone or self.reporting.timezone)
        return add_business_time(calendar, zone, start, limit.time)

    def canonical(self) -> str:
        """The document as canonical JSON: sorted keys, no spaces, defaults included, because they are signed too.

        A key that is younger than the first signatures is left out while it has its default, so that a document that
        does not state it keeps its hash (`schema/clauses/younger_keys.py`).
        """
        body = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        leave_out_younger_defaults(self, body)
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def content_hash(self) -> str:
        """The SHA-256 of the canonical JSON, in hex; it is what a signature signs."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def _again(details: ErrorDetails) -> InitErrorDetails:
    """An error as it was, to raise it beside others."""
    kind, context = details["type"], details.get("ctx", {})
    error = kind if kind in _PYDANTIC_ERRORS else PydanticCustomError(kind, details["msg"], context)
    return InitErrorDetails(type=error, loc=details["loc"], input=details["input"], ctx=context)
