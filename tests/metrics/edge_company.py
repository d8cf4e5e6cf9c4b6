"""A company of edge cases.

Every deal is one case: at midnight, reopened, changed after its closing, negative, without an amount, a currency or a
rate, closed before it was opened, deleted, of a test person, of a merged person, without a history of its stage.
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from api.db import WriteSession
from api.sql import Sql, join, name

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 9, 1, 12, tzinfo=ZONE)
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


def accord_in_euros(canonical: str) -> str:
    """The accord with Berlin as its time zone and the euro as its currency."""
    body = orjson.loads(canonical)
    body["reporting"] |= {"timezone": "Europe/Berlin", "currency": "EUR"}
    return orjson.dumps(body).decode()
