"""A company of edge cases, and a count of its deals in plain Python from the raw rows, which shares no code with KPIs.

Every deal is one case: at midnight, reopened, changed after its closing, negative, without an amount, a currency or a
rate, closed before it was opened, deleted, of a test person, of a merged person, without a history of its stage.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from statistics import mean, median
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from api.db import ReadSession, WriteSession
from api.sql import Sql, join, name

Row = dict[str, Any]
SNAPSHOTS = ("open_pipeline", "weighted_pipeline")
OPENINGS = ("opportunities_created", "pipeline_created")
MONEY = ("revenue_won", "avg_deal_size", "pipeline_created", *SNAPSHOTS)
ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 9, 1, 12, tzinfo=ZONE)
CENT = Decimal("0.01")
ANA, ANA_AGAIN, TESTER, BEN = (UUID(int=number) for number in (1, 2, 3, 4))
ACME, BOLT = UUID(int=11), UUID(int=12)
RATES = {3: Decimal("0.9"), 6: Decimal("0.8")}  # of USD in EUR, from the first of a month on
TALKS, WON_STAGE = UUID(int=21), UUID(int=22)


def at(text: str) -> datetime:
    """An instant of the company's year: `03-05` is noon in Berlin, `04-01 00:00` the instant that is named."""
    day, _, time = text.partition(" ")
    return datetime.fromisoformat(f"2026-{day}T{time or '12:00'}:00").replace(tzinfo=ZONE)


async def write_edge_company(session: WriteSession) -> None:
    """Write the company as a source with history would: every change has the instant since which it is true."""
    await session.copy("company", ["id", "name"], [(ACME, "Acme"), (BOLT, "Bolt")])
    people = [(ANA, None, False), (ANA_AGAIN, ANA, False), (TESTER, None, True), (BEN, None, False)]
    await session.copy(
        "contact",
        ["id", "merged_into_id", "is_test", "effective_at"],
        [(*person, at("01-01")) for person in people],
    )
    await session.copy("pipeline", ["id", "name"], [(UUID(int=20), "New business")])
    await session.copy(
        "pipeline_stage",
        ["id", "pipeline_id", "name", "rank", "category", "probability"],
        [
            (TALKS, UUID(int=20), "Talks", 1, "OPEN", Decimal("0.25")),
            (WON_STAGE, UUID(int=20), "Won", 2, "WON", Decimal(1)),
        ],
    )
    await session.copy(
        "exchange_rate",
        ["id", "currency", "quote_currency", "rate_on", "rate"],
        [(UUID(int=30 + month), "USD", "EUR", date(2026, month, 1), rate) for month, rate in RATES.items()],
    )
    for number, (opened, amount, currency, company, person) in enumerate(
        (
            ("01-10", 1000, "EUR", ACME, ANA),  # 101: nothing special
            ("02-01 00:00", 200, "EUR", None, BEN),  # 102: opened and won at midnight
            ("01-20", 300, "EUR", BOLT, None),  # 103: lost, reopened, won
            ("01-21", 400, "EUR", ACME, None),  # 104: changed after its closing
            ("03-01", -50, "EUR", None, ANA),  # 105: a refund
            ("03-02", None, None, BOLT, None),  # 106: without an amount
            ("03-03", 70, None, BOLT, None),  # 107: without a currency
            ("03-04", 8000, "SEK", BOLT, None),  # 108: without a rate
            ("02-04", 500, "USD", BOLT, None),  # 109: opened before the first rate, won after it
            ("04-15", 90, "EUR", ACME, None),  # 110: closed before it was opened
            ("03-06", 1100, "EUR", ACME, None),  # 111: deleted
            ("03-07", 1200, "EUR", None, TESTER),  # 112: of a test person alone
            ("03-08", 1300, "EUR", None, ANA_AGAIN),  # 113: of a person who is merged into another one
            ("02-03", 1400, "EUR", None, BEN),  # 114: known as it was won, without a history of its stage
            ("05-05", 600, "EUR", ACME, None),  # 115: open, its amount changes
            (None, 40, "EUR", None, None),  # 116: open, without a known opening
        ),
        start=101,
    ):
        deal = UUID(int=number)
        since = at(opened) if opened else None
        stage = None if number == 114 else TALKS
        await session.copy(
            "deal",
            ["id", "opened_at", "effective_at", "amount", "currency", "company_id", "pipeline_stage_id", "is_assumed"],
            [(deal, since, since, amount, currency, company, stage, number == 114)],
        )
        if person:
            await session.copy("deal_contact", ["deal_id", "contact_id"], [(deal, person)])
    await session.run(Sql("update deal_version set recorded_at = {} where valid_from is null", at("05-01")))
    for number, when, outcome in (
        (101, "03-05", "WON"),
        (102, "04-01 00:00", "WON"),
        (103, "02-10", "LOST"),
        (103, "03-01", "OPEN"),
        (103, "05-02", "WON"),
        (104, "03-10", "WON"),
        (105, "03-20", "WON"),
        (106, "03-21", "WON"),
        (107, "03-22", "WON"),
        (108, "03-23", "WON"),
        (109, "03-24", "WON"),
        (110, "04-01", "WON"),
        (111, "04-05", "WON"),
        (112, "04-06", "WON"),
        (113, "04-07", "WON"),
        (114, "07-09", "WON"),
    ):
        closed = None if outcome == "OPEN" else at(when)
        stage = WON_STAGE if outcome == "WON" else TALKS
        await change(session, number, when, outcome=outcome, closed_at=closed, pipeline_stage_id=stage)
    await change(session, 104, "04-20", amount=Decimal(900))
    await change(session, 115, "06-01", amount=Decimal(700))
    await change(session, 115, "07-01", probability=Decimal("0.5"))
    await change(session, 111, "06-10", deleted_at=at("06-10"))


async def change(session: WriteSession, number: int, when: str, **values: object) -> None:
    """Change a deal; the new values are true since an instant."""
    assigned = join(", ", (Sql("{} = {}", name(column), value) for column, value in values.items()))
    await session.run(Sql("update deal set {}, effective_at = {} where id = {}", assigned, at(when), UUID(int=number)))


@dataclass
class Expected:
    """A figure as it is counted by hand: its value, what the records give, and who is left out."""

    value: Decimal | None = None
    n: int = 0
    given: list[Decimal | None] = field(default_factory=list)  # of the base
    converted: int = 0
    excluded: Counter[str] = field(default_factory=Counter)


@dataclass
class Books:
    """The raw rows of the company."""

    deals: list[Row]
    versions: list[Row]
    contacts: list[Row]
    roles: list[Row]
    stages: list[Row]
    rates: list[Row]

    @classmethod
    async def read(cls, session: ReadSession) -> "Books":
        tables = ("deal", "deal_version", "contact", "deal_contact", "pipeline_stage", "exchange_rate")
        found = [[dict(row) for row in await session.rows(Sql(f"select * from {table}"))] for table in tables]
        return cls(*found)

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
        all_given = [value for value in expected.given if value is not None]
        match key:
            case "revenue_won" | "pipeline_created" | "open_pipeline" | "weighted_pipeline":
                is_nothing = not expected.given and not self._unknown(key, start, before, as_of)
                expected.value = sum(all_given, Decimal(0)) if all_given or is_nothing else None
            case "avg_deal_size":
                expected.value = mean(all_given).quantize(CENT) if all_given else None
            case "sales_cycle":
                expected.value = Decimal(median(all_given)) if all_given else None
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
                yield deal, moment, self._worth(state, moment), False

    def _unknown(self, key: str, start: datetime | None, before: datetime | None, as_of: datetime) -> bool:
        """Whether a sum leaves out deals whose amount or weight is not known."""
        counted = [deal for deal in self.deals if self._reason(deal) is None]
        if key in SNAPSHOTS:
            instant = as_of if before is None else min(before - timedelta(microseconds=1), as_of)
            states = [self._state(deal, instant) for deal in counted]
            return any(state["outcome"] == "OPEN" and self._is_unknown(key, state) for state in states if state)
        moments = self._moments(key, start, before, as_of)
        return any(
            self._is_unknown(key, self._amount_state(key, deal, moment)) for moment, deal in moments if deal in counted
        )

    def _moments(
        self, key: str, start: datetime | None, before: datetime | None, as_of: datetime
    ) -> list[tuple[datetime, Row]]:
        """When deals were opened or closed in a period."""
        moments: list[tuple[datetime, Row]] = []
        for deal in self.deals:
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
        people = [role["contact_id"] for role in self.roles if role["deal_id"] == deal["id"]]
        if not people:
            return deal["id"]
        person = self._contact(people[0])
        return person["merged_into_id"] or person["company_id"] or person["id"]

    def _closed(self, deal: Row, as_of: datetime, key: str) -> datetime | None:
        """The last closing by an instant, with an outcome that the KPI counts."""
        state: Row | None = deal
        if deal["closed_at"] is None or deal["closed_at"] > as_of:
            state = self._state(deal, as_of)
        wanted = ("WON", "LOST") if key == "win_rate" else ("WON",)
        if state is None or state["outcome"] not in wanted or state["closed_at"] > as_of:
            return None
        closed: datetime = state["closed_at"]
        return closed

    def _at_closing(self, deal: Row, moment: datetime) -> Row:
        return next(version for version in self._versions(deal) if version["closed_at"] == moment)

    def _versions(self, deal: Row) -> list[Row]:
        """The versions of a deal that held for any time, in their order."""
        mine = [version for version in self.versions if version["deal_id"] == deal["id"]]
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
        """The amount in euros, to the cent; None if it has to be kept apart."""
        amount: Decimal = state["amount"] * (Decimal(1) if weight is None else weight)
        if state["currency"] != "EUR":
            day = instant.astimezone(ZONE).date()
            known = [rate for rate in self.rates if rate["currency"] == state["currency"] and rate["rate_on"] <= day]
            if not known:
                return None
            amount *= max(known, key=lambda rate: rate["rate_on"])["rate"]
        return amount.quantize(CENT, ROUND_HALF_UP)

    def _reason(self, deal: Row) -> str | None:
        if deal["deleted_at"] is not None:
            return "DELETED"
        people = [self._contact(role["contact_id"]) for role in self.roles if role["deal_id"] == deal["id"]]
        return "TEST" if people and all(person["is_test"] for person in people) else None

    def _refund(self, key: str, deal: Row, moment: datetime) -> str | None:
        if key not in ("deals_won", "new_customers", "win_rate", "sales_cycle", "avg_deal_size"):
            return None
        return "NEGATIVE" if (self._at_closing(deal, moment)["amount"] or 0) < 0 else None

    def _contact(self, key: UUID) -> Row:
        return next(contact for contact in self.contacts if contact["id"] == key)


def _begin(version: Row) -> datetime:
    begin: datetime = version["valid_from"] or version["recorded_at"]
    return begin


def accord_in_euros(canonical: str) -> str:
    """The accord with Berlin as its time zone and the euro as its currency."""
    body = orjson.loads(canonical)
    body["reporting"] |= {"timezone": "Europe/Berlin", "currency": "EUR"}
    return orjson.dumps(body).decode()
