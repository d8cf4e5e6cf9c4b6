"""Economics: what the firm keeps of its revenue, how many customers leave, and what its sales cost."""

import re
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from schema.clauses.rule_values import plain_number
from schema.clauses.rules import AccordModel

_MONTH = re.compile(r"[1-9][0-9]{3}-(0[1-9]|1[0-2])")


def _month(value: object) -> object:
    if not isinstance(value, str) or not _MONTH.fullmatch(value):
        raise ValueError(f"'{value}' is not a month; write one such as 2027-03")
    return value


_Amount = Annotated[Decimal, Field(ge=0), BeforeValidator(plain_number)]
_Margin = Annotated[Decimal, Field(gt=0, le=1), BeforeValidator(plain_number)]
_Share = Annotated[Decimal, Field(ge=0, le=1), BeforeValidator(plain_number)]
_Written = Annotated[str, Field(pattern=f"^{_MONTH.pattern}$")]
MonthName = Annotated[str, BeforeValidator(_month, json_schema_input_type=_Written)]


class SalesCost(AccordModel):
    """What sales costs each month, from a month on."""

    first_month: MonthName = Field(alias="from", description="The first month that costs this, such as 2027-01.")
    per_month: _Amount = Field(
        description="The cost of each month, in the reporting currency: salaries, commissions, tools. It holds until "
        "the month of the next entry."
    )

    @property
    def starts_on(self) -> date:
        """The first day of the first month."""
        return date.fromisoformat(f"{self.first_month}-01")


class Economics(AccordModel):
    """What KPIs of customers' costs and value need beside the records. What is null is not agreed."""

    gross_margin: _Margin | None = Field(
        default=None,
        description="The share of revenue that is left after the cost of what is sold, such as 0.7; null if it is not "
        "agreed.",
    )
    monthly_churn: _Share | None = Field(
        default=None, description="The share of the customers who leave each month, such as 0.02; null if not agreed."
    )
    sales_costs: tuple[SalesCost, ...] = Field(
        default=(), description="What sales costs, an entry for each change; empty if not agreed."
    )

    @field_validator("sales_costs")
    @classmethod
    def _in_order(cls, costs: tuple[SalesCost, ...]) -> tuple[SalesCost, ...]:
        for before, after in pairwise(costs):
            if after.first_month <= before.first_month:
                raise ValueError(
                    f"the entry from {after.first_month} stands after the one from {before.first_month}; list the "
                    "months in order, each once"
                )
        return costs
