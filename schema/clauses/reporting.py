"""How results are reported: time zone, weeks, fiscal years, currency, exclusions."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from schema.clauses.rules import AccordModel
from schema.clauses.younger_keys import YOUNGER
from schema.fiscal_calendar import FiscalCalendar, FiscalYearName
from schema.vocab import Currency


def require_zone(name: str) -> str:
    """Return the name of a time zone; ValueError if there is no such zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"'{name}' is not an IANA time zone; write one such as Europe/Berlin") from error
    return name


class Reporting(AccordModel):
    """How results are reported: time zone, weeks, fiscal years, currency, and who is never counted."""

    timezone: str = Field(default="UTC", description="The time zone in which days begin (IANA name).")
    week_start: Literal["MONDAY", "SUNDAY"] = Field(default="MONDAY", description="The day on which weeks begin.")
    fiscal_year_start_month: int = Field(
        default=1, ge=1, le=12, description="The month in which the fiscal year begins, 1 to 12."
    )
    fiscal_year_named_by: Annotated[FiscalYearName, YOUNGER] = Field(
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
        return require_zone(name)

    @property
    def fiscal_calendar(self) -> FiscalCalendar:
        """The fiscal years and quarters that were agreed."""
        return FiscalCalendar(self.fiscal_year_start_month, self.fiscal_year_named_by)
