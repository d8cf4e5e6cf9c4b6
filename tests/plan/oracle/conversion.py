"""Conversion of amounts to the reporting currency: the last rate on or before the day, else the last inverse one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from schema.base import ColumnShape
from tests.plan.oracle.shapes import CONVERTED, Row

CENT = Decimal("0.01")
# Where the oracle puts the converted amount of a money column into a row, so that aggregates can read it.
CONVERTED_KEY = "{} converted"
REPORTING_CURRENCY_KEY = "reporting currency"


@dataclass(frozen=True)
class Conversion:
    """The rates, and the reporting currency and time zone of the accord in force.

    Amounts without an own day are converted at the rate of `as_of`; of today if it is None.
    """

    rates: list[Row]
    currency: str | None
    zone: ZoneInfo
    as_of: datetime | None = None

    @classmethod
    def of(cls, rates: Iterable[Row], versions: Iterable[Row], as_of: datetime | None = None) -> "Conversion":
        """Return the conversion by the accord in force among the versions."""
        active = [version["body"] for version in versions if version["status"] == "ACTIVE"]
        reporting = active[0].get("reporting", {}) if active else {}
        kept = [rate for rate in rates if rate["deleted_at"] is None]
        return cls(kept, reporting.get("currency"), ZoneInfo(reporting.get("timezone", "UTC")), as_of)

    def converted(self, row: Row, column: ColumnShape) -> Decimal | None:
        """Return an amount in the reporting currency; None if it is unknown, or if there is no rate."""
        amount, currency = row[column.name], row[column.note.currency or ""]
        if amount is None or currency is None or self.currency is None:
            return None
        if currency == self.currency:
            return Decimal(amount)
        at = row[column.note.rate_at] if column.note.rate_at else None
        day = self._day(at or self.as_of or datetime.now(UTC))
        direct, inverse = self._last(currency, self.currency, day), self._last(self.currency, currency, day)
        if direct is not None:
            return Decimal(amount * direct).quantize(CENT, ROUND_HALF_UP)
        return None if inverse is None else Decimal(amount / inverse).quantize(CENT, ROUND_HALF_UP)

    def with_converted(self, table: str, row: Row) -> Row:
        """Return a row together with its converted amounts."""
        columns = CONVERTED[table].values()
        return row | {CONVERTED_KEY.format(column.name): self.converted(row, column) for column in columns}

    def _day(self, at: datetime | date) -> date:
        return at.astimezone(self.zone).date() if isinstance(at, datetime) else at

    def _last(self, currency: str, quote: str, day: date) -> Decimal | None:
        found = [
            (rate["rate_on"], rate["rate"])
            for rate in self.rates
            if (rate["currency"], rate["quote_currency"]) == (currency, quote) and rate["rate_on"] <= day
        ]
        return max(found)[1] if found else None


def has_several_currencies(rows: Iterable[Row], column: ColumnShape) -> bool:
    """Return whether the known amounts of a column have more than one currency; none counts as one."""
    return len({row[column.note.currency or ""] for row in rows if row[column.name] is not None}) > 1
