"""A count in plain Python, from raw rows, of the deals due in a period, and of marketing's part in the pipeline."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from tests.metrics.deal_books import Books, Expected, Row

LEAD_SOURCES = ("Webinar", "Trade fair", "Organic search", "Paid search")
INSTANT = timedelta(microseconds=1)
DUE = ("push_rate", "forecast_accuracy")


@dataclass
class Share(Expected):
    """A share as it is counted by hand."""

    numerator: Decimal = Decimal(0)
    denominator: Decimal = Decimal(0)
    variants: dict[str, Decimal] = field(default_factory=dict)  # the numerators by rule


@dataclass
class ShareBooks:
    """The raw rows of deals, and of the people on them and their touches."""

    books: Books
    touches: list[Row]
    people: list[Row]  # their versions

    def __post_init__(self) -> None:
        self._touches_of: dict[UUID, list[Row]] = defaultdict(list)
        for touch in self.touches:
            if touch["voided_at"] is None:
                self._touches_of[self._survivor(touch["contact_id"])].append(touch)
        self._people_of: dict[UUID, list[Row]] = defaultdict(list)
        for version in self.people:
            self._people_of[version["contact_id"]].append(version)

    def figure(self, key: str, start: datetime | None, before: datetime | None, as_of: datetime) -> Share:
        """Count a KPI over the instants from `start` until before `before`, as of an instant."""
        if key not in DUE:
            return self._of_openings(key, start, before, as_of)
        if start is None or before is None:
            return Share()
        return self._pushes(start, before, as_of) if key == "push_rate" else self._forecast(start, before, as_of)

    def _pushes(self, start: datetime, before: datetime, as_of: datetime) -> Share:
        found, end = Share(), min(before - INSTANT, as_of)
        for deal in self.books.deals:
            state = self._open(deal, start)
            if state is None and deal["opened_at"] and start <= deal["opened_at"] <= end:
                state = self.books._state(deal, deal["opened_at"]) or self.books._versions(deal)[0]
            if state is None or state["outcome"] != "OPEN" or state["close_date"] is None:
                continue
            if not start.date() <= state["close_date"] < before.date():
                continue
            if reason := self.books._reason(deal):
                found.excluded[reason] += 1
                continue
            found.n += 1
            later = self._open(deal, end)
            found.numerator += later is not None and bool(later["close_date"] and later["close_date"] >= before.date())
        found.denominator = Decimal(found.n)
        found.value = found.numerator / found.n if found.n else None
        return found

    def _forecast(self, start: datetime, before: datetime, as_of: datetime) -> Share:
        found = Share()
        if before - INSTANT > as_of:
            return found
        won = self.books.figure("revenue_won", start, before, as_of)
        found.n, found.excluded, found.denominator = won.n, won.excluded, won.value or Decimal(0)
        for deal in self.books.deals:
            state = self._open(deal, start)
            if state is None or state["close_date"] is None or self.books._reason(deal):
                continue
            weight = self.books._weight("weighted_pipeline", state)
            if start.date() <= state["close_date"] < before.date() and state["amount"] is not None and weight:
                found.numerator += self.books._worth(state, start, weight) or 0
        if found.denominator:
            found.value = 1 - abs(found.numerator - found.denominator) / found.denominator
        return found

    def _of_openings(self, key: str, start: datetime | None, before: datetime | None, as_of: datetime) -> Share:
        found = Share(variants=dict.fromkeys(("LEAD_SOURCE", "FIRST_TOUCH", "BEFORE_FIRST_SALES_TOUCH"), Decimal(0)))
        for moment, deal in self.books._moments("pipeline_created", start, before, as_of):
            amount = Decimal(1)
            if key == "marketing_sourced":
                state = self.books._amount_state("pipeline_created", deal, moment)
                if state["amount"] is None:
                    continue
                amount = self.books._worth(state, moment) or Decimal(0)
            if reason := self.books._reason(deal):
                found.excluded[reason] += 1
                continue
            found.n += 1
            found.denominator += amount
            if key == "marketing_influenced":
                found.numerator += self._is_influenced(deal, moment)
                continue
            for rule in self._origins(deal, moment):
                found.variants[rule] += amount
        if key == "marketing_sourced":
            found.numerator = found.variants["FIRST_TOUCH"]
        found.value = found.numerator / found.denominator if found.denominator else None
        return found

    def _origins(self, deal: Row, opened: datetime) -> Iterator[str]:
        before = [touch for touch in self._touches(deal) if touch["occurred_at"] <= opened]
        before.sort(key=lambda touch: (touch["occurred_at"], touch["id"]))
        if before and before[0]["team_kind"] == "MARKETING":
            yield "FIRST_TOUCH"
        teams = [touch["team_kind"] for touch in before if touch["team_kind"] in ("MARKETING", "SALES")]
        first = {team: next(t["occurred_at"] for t in before if t["team_kind"] == team) for team in {*teams}}
        if "MARKETING" in first and first["MARKETING"] < first.get("SALES", opened + INSTANT):
            yield "BEFORE_FIRST_SALES_TOUCH"
        roles = self.books.roles_of.get(deal["id"], [])
        if roles:
            main = min(roles, key=lambda role: (not role["is_primary"], role["since"] is not None, role["contact_id"]))
            person = self._survivor(main["contact_id"])
            if any(v["lead_source"] in LEAD_SOURCES for v in self._versions(person, opened)):
                yield "LEAD_SOURCE"

    def _is_influenced(self, deal: Row, opened: datetime) -> bool:
        return any(
            touch["team_kind"] == "MARKETING"
            and timedelta() <= opened - touch["occurred_at"] <= timedelta(days=90)
            and not any(
                version["email_opt_out"] or version["do_not_call"]
                for version in self._versions(touch["contact_id"], touch["occurred_at"])
            )
            for touch in self._touches(deal)
        )

    def _touches(self, deal: Row) -> list[Row]:
        people = {self._survivor(role["contact_id"]) for role in self.books.roles_of.get(deal["id"], [])}
        return [touch for person in people for touch in self._touches_of.get(person, [])]

    def _survivor(self, contact: UUID) -> UUID:
        found = self.books.contact_of[contact]
        return self._survivor(found["merged_into_id"]) if found["merged_into_id"] else contact

    def _versions(self, contact: UUID, at: datetime) -> list[Row]:
        return [
            version
            for version in self._people_of.get(contact, [])
            if (version["valid_from"] or version["recorded_at"]) <= at
            and (version["valid_to"] is None or version["valid_to"] > at)
        ]

    def _open(self, deal: Row, at: datetime) -> Row | None:
        state = self.books._state(deal, at)
        return state if state is not None and state["outcome"] == "OPEN" else None
