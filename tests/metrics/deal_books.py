"""A count of the KPIs of deals in plain Python, from raw rows; it shares no code with KPIs."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from statistics import mean, median
from typing import Any
from uuid import UUID

from api.db import ReadSession
from api.sql import Sql, name

Row = dict[str, Any]
SNAPSHOTS = ("open_pipeline", "weighted_pipeline")
OPENINGS = ("opportunities_created", "pipeline_created")
MONEY = ("revenue_won", "avg_deal_size", "pipeline_created", "win_rate_value", *SNAPSHOTS)
CLOSED = ("win_rate", "win_rate_value")
CENT = Decimal("0.01")


@dataclass
class Expected:
    """A figure as it is counted by hand: its value, what the records give, and who is left out."""

    value: Decimal | None = None
    n: int = 0
    given: list[Decimal | None] = field(default_factory=list)  # of the base
    won: list[Decimal] = field(default_factory=list)  # of given
    converted: int = 0
    excluded: Counter[str] = field(default_factory=Counter)


@dataclass
class Books:
    """The raw rows of deals, and of what they refer to."""

    deals: list[Row]
    versions: list[Row]
    contacts: list[Row]
    roles: list[Row]
    stages: list[Row]
    rates: list[Row]
    pipelines: list[Row]
    zone: tzinfo
    currency: str
    rate_day: date | None = None  # whose rates convert all amounts; None if each has its own day

    def __post_init__(self) -> None:
        self._versions_of: dict[UUID, list[Row]] = defaultdict(list)
        for version in self.versions:
            self._versions_of[version["deal_id"]].append(version)
        self.roles_of: dict[UUID, list[Row]] = defaultdict(list)
        for role in self.roles:
            self.roles_of[role["deal_id"]].append(role)
        self.contact_of: dict[UUID, Row] = {contact["id"]: contact for contact in self.contacts}

    @classmethod
    async def read(cls, session: ReadSession, zone: tzinfo, currency: str) -> "Books":
        """Read the rows of a database whose accord reports in a time zone and a currency."""
        tables = ("deal", "deal_version", "contact", "deal_contact", "pipeline_stage", "exchange_rate", "pipeline")
        found = [[dict(row) for row in await session.rows(Sql("select * from {}", name(table)))] for table in tables]
        deals, versions, contacts, roles, stages, rates, pipelines = found
        return cls(deals, versions, contacts, roles, stages, rates, pipelines, zone, currency)

    def figure(self, key: str, start: datetime | None, before: datetime | None, as_of: datetime) -> Expected:
        """Count a KPI over the instants from `start` until before `before`, as of an instant."""
        expected = Expected()
        for deal, at_instant, value, is_converted in self._counted(key, start, before, as_of):
            reason = self._reason(deal) or self._refund(key, deal, at_instant)
            if reason is not None:
                expected.excluded[reason] += 1
                continue
            expected.n += 1
            expected.converted += is_converted
            expected.given.append(value)
            expected.won += [value] if is_converted and value is not None else []
        all_given = [value for value in expected.given if value is not None]
        match key:
            case "revenue_won" | "pipeline_created" | "open_pipeline" | "weighted_pipeline":
                is_nothing = not expected.given and not self._unknown(key, start, before, as_of)
                expected.value = sum(all_given, Decimal(0)) if all_given or is_nothing else None
            case "avg_deal_size":
                expected.value = mean(all_given).quantize(CENT) if all_given else None
            case "sales_cycle":
                expected.value = Decimal(median(all_given)) if all_given else None
            case "win_rate_value":
                expected.value = sum(expected.won, Decimal(0)) / sum(all_given) if sum(all_given) else None
            case "win_rate":
                expected.value = Decimal(expected.converted) / expected.n if expected.n else None
            case _:
                expected.value = Decimal(expected.n)
        return expected

    def _counted(
        self, key: str, start: datetime | None, before: datetime | None, as_of: datetime
    ) -> Iterator[tuple[Row, datetime, Decimal | None, bool]]:
        """The deals that a KPI is about, whoever they are: the deal, when it counts, what it gives, if it converted."""
        if key in SNAPSHOTS:
            instant = as_of if before is None else min(before - timedelta(microseconds=1), as_of)
            for deal in self.deals:
                state = self._state(deal, instant)
                if state is not None and state["outcome"] == "OPEN" and not self._is_unknown(key, state):
                    yield deal, instant, self._worth(state, instant, self._weight(key, state)), False
            return
        for moment, deal in self._moments(key, start, before, as_of):
            state = self._amount_state(key, deal, moment)
            if key == "sales_cycle":
                if deal["opened_at"] is not None and deal["opened_at"] <= moment:
                    yield deal, moment, Decimal((moment - deal["opened_at"]).total_seconds()), False
            elif key not in MONEY:
                yield deal, moment, Decimal(1), state["outcome"] == "WON"
            elif not self._is_unknown(key, state):
                yield deal, moment, self._worth(state, moment), state["outcome"] == "WON"

    def _unknown(self, key: str, start: datetime | None, before: datetime | None, as_of: datetime) -> bool:
        """Whether a sum leaves out deals whose amount or weight is not known."""
        if key in SNAPSHOTS:
            counted = [deal for deal in self.deals if self._reason(deal) is None]
            instant = as_of if before is None else min(before - timedelta(microseconds=1), as_of)
            states = [self._state(deal, instant) for deal in counted]
            return any(state["outcome"] == "OPEN" and self._is_unknown(key, state) for state in states if state)
        moments = self._moments(key, start, before, as_of)
        return any(
            self._is_unknown(key, self._amount_state(key, deal, moment))
            for moment, deal in moments
            if self._reason(deal) is None
        )

    def _moments(
        self, key: str, start: datetime | None, before: datetime | None, as_of: datetime
    ) -> list[tuple[datetime, Row]]:
        """When deals were opened or closed in a period."""
        moments: list[tuple[datetime, Row]] = []
        for deal in self.deals:
            if key == "opportunities_created" and not self._is_new_business(deal):
                continue
            moment = deal["opened_at"] if key in OPENINGS else self._closed(deal, as_of, key)
            if moment is not None and moment <= as_of:
                moments.append((moment, deal))
        if key == "new_customers":
            moments = self._firsts(moments)
        return [
            (moment, deal)
            for moment, deal in moments
            if (start is None or moment >= start) and (before is None or moment < before)
        ]

    def _amount_state(self, key: str, deal: Row, moment: datetime) -> Row:
        """The version that has the amount at the opening or closing."""
        if key in OPENINGS:
            return self._state(deal, moment) or self._versions(deal)[0]
        return self._at_closing(deal, moment)

    def _is_new_business(self, deal: Row) -> bool:
        """Whether the first pipeline since the opening is one of new business. No known one counts as such."""
        for version in self._versions(deal):
            is_over = version["valid_to"] is not None and deal["opened_at"] and version["valid_to"] <= deal["opened_at"]
            if not is_over and version["pipeline_stage_id"] is not None:
                [stage] = [stage for stage in self.stages if stage["id"] == version["pipeline_stage_id"]]
                [pipeline] = [pipeline for pipeline in self.pipelines if pipeline["id"] == stage["pipeline_id"]]
                return bool(pipeline["is_new_business"])
        return True

    def _is_unknown(self, key: str, state: Row) -> bool:
        return state["amount"] is None or self._weight(key, state) is None

    def _firsts(self, moments: list[tuple[datetime, Row]]) -> list[tuple[datetime, Row]]:
        """The first win of each customer; and where one that never counts comes before it, or alone, that one too."""
        found: list[tuple[datetime, Row]] = []
        for only_counted in (True, False):
            first: dict[object, tuple[datetime, Row]] = {}
            for moment, deal in sorted(moments, key=lambda item: (item[0], item[1]["id"])):
                never = self._reason(deal) or self._refund("new_customers", deal, moment)
                if never is None or not only_counted:
                    first.setdefault(self._customer(deal), (moment, deal))
            found += [
                (moment, deal)
                for moment, deal in first.values()
                if only_counted or self._reason(deal) or self._refund("new_customers", deal, moment)
            ]
        return found

    def _customer(self, deal: Row) -> object:
        if deal["company_id"]:
            return deal["company_id"]
        people = [role["contact_id"] for role in self.roles_of.get(deal["id"], [])]
        if not people:
            return deal["id"]
        person = self._contact(people[0])
        return person["merged_into_id"] or person["company_id"] or person["id"]

    def _closed(self, deal: Row, as_of: datetime, key: str) -> datetime | None:
        """The last closing by an instant, with an outcome that the KPI counts."""
        state: Row | None = deal
        if deal["closed_at"] is None or deal["closed_at"] > as_of:
            state = self._state(deal, as_of)
        wanted = ("WON", "LOST") if key in CLOSED else ("WON",)
        if state is None or state["outcome"] not in wanted or state["closed_at"] > as_of:
            return None
        closed: datetime = state["closed_at"]
        return closed

    def _at_closing(self, deal: Row, moment: datetime) -> Row:
        return next(version for version in self._versions(deal) if version["closed_at"] == moment)

    def _versions(self, deal: Row) -> list[Row]:
        """The versions of a deal that held for any time, in their order."""
        mine = self._versions_of.get(deal["id"], [])
        lasting = [version for version in mine if version["valid_to"] is None or version["valid_to"] > _begin(version)]
        return sorted(lasting, key=lambda version: (_begin(version), version["id"]))

    def _state(self, deal: Row, instant: datetime) -> Row | None:
        held = [
            version
            for version in self._versions(deal)
            if _begin(version) <= instant and (version["valid_to"] is None or version["valid_to"] > instant)
        ]
        return held[0] if held else None

    def _weight(self, key: str, state: Row) -> Decimal | None:
        if key != "weighted_pipeline":
            return Decimal(1)
        if state["probability"] is not None:
            own: Decimal = state["probability"]
            return own
        return next((stage["probability"] for stage in self.stages if stage["id"] == state["pipeline_stage_id"]), None)

    def _worth(self, state: Row, instant: datetime, weight: Decimal | None = None) -> Decimal | None:
        """The amount in the reporting currency, to the cent; None if it has to be kept apart."""
        amount: Decimal = state["amount"] * (Decimal(1) if weight is None else weight)
        if state["currency"] != self.currency:
            day = self.rate_day or instant.astimezone(self.zone).date()
            known = [rate for rate in self.rates if rate["currency"] == state["currency"] and rate["rate_on"] <= day]
            if not known:
                return None
            amount *= max(known, key=lambda rate: rate["rate_on"])["rate"]
        return amount.quantize(CENT, ROUND_HALF_UP)

    def _reason(self, deal: Row) -> str | None:
        if deal["deleted_at"] is not None:
            return "DELETED"
        people = [self._contact(role["contact_id"]) for role in self.roles_of.get(deal["id"], [])]
        if people and all(person["is_test"] for person in people):
            return "TEST"
        return "INTERNAL" if people and all(person["is_test"] or person["is_internal"] for person in people) else None

    def _refund(self, key: str, deal: Row, moment: datetime) -> str | None:
        if key not in ("deals_won", "new_customers", *CLOSED, "sales_cycle", "avg_deal_size"):
            return None
        return "NEGATIVE" if (self._at_closing(deal, moment)["amount"] or 0) < 0 else None

    def _contact(self, key: UUID) -> Row:
        return self.contact_of[key]


def _begin(version: Row) -> datetime:
    begin: datetime = version["valid_from"] or version["recorded_at"]
    return begin
