"""The price of a request: its cost in units, and the limits on it.

One unit is about a millisecond of PostgreSQL's work on one core: reading 10,000 rows of a table in order. A request
that reads little costs 1.
"""

import math
from dataclasses import dataclass, field

from api.errors import AccordError, ErrorCode
from api.plan.cost.response_records import MAX_RECORDS, require_few_records

ROWS_PER_UNIT = 10_000
MAX_COST = 30_000


@dataclass(frozen=True, slots=True)
class Price:
    """What a request costs: its work in rows, and the records that its response can hold at most."""

    work: float
    records: int = 0
    cost: int = field(init=False)  # the work in units, at least 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "cost", max(1, math.ceil(self.work / ROWS_PER_UNIT)))

    def require_affordable(self) -> None:
        """Refuse a request that is over a limit. Errors: TOO_LARGE."""
        require_few_records(self.records)
        if self.cost > MAX_COST:
            unit = f"in units of {ROWS_PER_UNIT:,} rows to read"
            message = f"The request costs {self.cost:,}, {unit}. The limit is {MAX_COST:,}."
            remedy = "Ask for fewer figures, groups and filters through links in one request, or for shorter periods."
            raise AccordError(ErrorCode.TOO_LARGE, message, remedy)

    @property
    def is_affordable(self) -> bool:
        """Whether the request is within the limits."""
        return self.records <= MAX_RECORDS and self.cost <= MAX_COST

    @property
    def extensions(self) -> dict[str, object]:
        """The extensions of a response that state the cost; none for a request that reads nothing."""
        if not self.work:
            return {}
        records = {"requested": self.records, "limit": MAX_RECORDS}
        return {"cost": {"requested": self.cost, "limit": MAX_COST, "records": records}}
