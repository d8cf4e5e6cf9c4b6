"""Lists that are filtered and sorted by aggregates of the rows that refer to their records."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.reading.order_value import MAX_LIST_AGGREGATES
from schema.access.rights import Reach
from tests.support.accords import accord_row, delete_versions
from tests.support.graphql import answered, executed, put, refused, uid, with_personal_data
from tests.support.statement_log import LoggingDatabase

ANNA, BEN = uid(1), uid(2)
ACME, BOLT, GONE = uid(11), uid(12), uid(13)
ADA, BOB, CLEO, DAN = (uid(20 + number) for number in range(4))
START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await put(session, "member", *({"id": id_, "name": name} for id_, name in ((ANNA, "Anna"), (BEN, "Ben"))))
        await put(
            session,
            "company",
            {"id": ACME, "name": "Acme", "owner_id": ANNA},
            {"id": BOLT, "name": "Bolt", "owner_id": ANNA},
            {"id": GONE, "name": "Gone", "deleted_at": START},
        )
        await put(
            session,
            "contact",
            {"id": ADA, "first_name": "Ada", "owner_id": ANNA, "company_id": ACME},
            {"id": BOB, "first_name": "Bob", "owner_id": ANNA, "company_id": BOLT},
            {"id": CLEO, "first_name": "Cleo", "owner_id": ANNA},
            {"id": DAN, "first_name": "Dan", "owner_id": BEN, "company_id": GONE},
        )
        touches = [(ADA, 1, "CALL", 60), (ADA, 9, "FORM", None), (BOB, 2, "CALL", 30), (BOB, 5, "CALL", 45)]
        await put(
            session,
            "touchpoint",
            *(
                {
                    "id": uid(100 + number),
                    "contact_id": contact,
                    "occurred_at": START + timedelta(days=day),
                    "kind": kind,
                    "direction": "OUTBOUND",
                    "duration_seconds": seconds,
                }
                for number, (contact, day, kind, seconds) in enumerate([*touches, (DAN, 20, "CALL", 1)])
            ),
        )
        deals = [(ACME, ANNA, "0.5"), (ACME, BEN, "0.25"), (BOLT, BEN, None), (GONE, ANNA, "0.9")]
        await put(
            session,
            "deal",
            *(
                {
                    "id": uid(200 + number),
                    "company_id": company,
                    "owner_id": owner,
                    "probability": None if probability is None else Decimal(probability),
                }
                for number, (company, owner, probability) in enumerate(deals)
            ),
        )
    return module_database


async def names(database: Database, arguments: str, table: str = "contacts", field: str = "firstName") -> list[str]:
    found = await answered(database, f"{{ {table}({arguments}) {{ nodes {{ {field} }} }} }}")
    return [node[field] for node in found[table]["nodes"]]


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("touchpoints: { max: { occurredAt: ASC } }", "Bob Ada Dan Cleo"),
        ("touchpoints: { max: { occurredAt: DESC_NULLS_FIRST } }", "Cleo Dan Ada Bob"),
        ("touchpoints: { where: { kind: { eq: CALL } }, max: { occurredAt: ASC } }", "Ada Bob Dan Cleo"),
        ("touchpoints: { count: ASC }", "Cleo Dan Ada Bob"),
        ("touchpoints: { where: { kind: { eq: FORM } }, count: DESC }", "Ada Dan Cleo Bob"),
        ("touchpoints: { sum: { durationSeconds: DESC } }", "Bob Ada Dan Cleo"),
        ("touchpoints: { avg: { durationSeconds: ASC } }", "Dan Bob Ada Cleo"),
        # Cleo has no company and Dan's is deleted: their count is unknown, and not 0.
        ("company: { deals: { count: ASC } }", "Bob Ada Cleo Dan"),
        ("company: { deals: { avg: { probability: DESC } } }", "Ada Dan Cleo Bob"),
    ],
)
async def test_records_are_sorted_by_an_aggregate_of_a_list(term: str, expected: str, world: Database) -> None:
    assert await names(world, f"orderBy: [{{ {term} }}]") == expected.split()


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ('max: { occurredAt: { lt: "2026-03-08T00:00:00Z" } }', "Bob"),
        ('max: { occurredAt: { gte: "2026-03-08T00:00:00Z", lt: "2026-03-15T00:00:00Z" } }', "Ada"),
        ("max: { occurredAt: { isNull: true } }", "Cleo"),
        ("count: { eq: 0 }", "Cleo"),
        ("count: { in: [0, 1] }", "Cleo Dan"),
        ("where: { kind: { eq: FORM } }, count: { eq: 0 }", "Bob Cleo Dan"),
        ('sum: { durationSeconds: { gt: "74.5" } }', "Bob"),
        ('avg: { durationSeconds: { eq: "37.5" } }', "Bob"),
        ("min: { durationSeconds: { lt: 60 } }, count: { gte: 2 }", "Bob"),
        # The filter of the rows holds for the quantifiers beside it, too.
        ("where: { kind: { eq: CALL } }, every: { durationSeconds: { lt: 60 } }", "Bob Cleo Dan"),
        ("where: { kind: { eq: CALL } }, some: { durationSeconds: { gte: 60 } }", "Ada"),
        ("where: { kind: { eq: CALL } }, none: { durationSeconds: { lt: 60 } }", "Ada Cleo"),
    ],
)
async def test_records_are_filtered_by_aggregates_of_a_list(conditions: str, expected: str, world: Database) -> None:
    found = await names(world, f"where: {{ touchpoints: {{ {conditions} }} }}")
    assert found == expected.split()
    others = await names(world, f"where: {{ not: {{ touchpoints: {{ {conditions} }} }} }}")
    assert sorted(found + others) == ["Ada", "Bob", "Cleo", "Dan"]


async def test_only_rows_within_reach_count(world: Database) -> None:
    """Anna reaches one deal of Acme and none of Bolt."""
    document = """{ companies(orderBy: [{ deals: { count: DESC } }]) { nodes { name deals { totalCount } } }
      two: companies(where: { deals: { count: { gte: 2 } } }) { totalCount }
      none: companies(where: { deals: { max: { createdAt: { isNull: true } } } }) { nodes { name } } }"""
    found = await answered(world, document, with_personal_data(Reach.OWN, ANNA))
    assert [(node["name"], node["deals"]["totalCount"]) for node in found["companies"]["nodes"]] == [
        ("Acme", 1),
        ("Bolt", 0),
    ]
    assert found["two"] == {"totalCount": 0}
    assert found["none"] == {"nodes": [{"name": "Bolt"}]}


async def test_rows_count_as_of_the_instant_of_the_list(world: Database) -> None:
    document = """query ($at: DateTime) { contacts(asOf: $at, orderBy: [{ touchpoints: { count: DESC } }]) {
      nodes { firstName } }
      few: contacts(asOf: $at, where: { touchpoints: { count: { lt: 2 } } }) { nodes { firstName } } }"""
    async with world.write() as session:
        await session.script("update contact_version set valid_from = '2026-01-01'")
    found = await answered(world, document, at="2026-03-03T12:00:00Z")  # two of the touchpoints had happened
    assert [node["firstName"] for node in found["contacts"]["nodes"]] == ["Bob", "Ada", "Dan", "Cleo"]
    assert [node["firstName"] for node in found["few"]["nodes"]] == ["Ada", "Bob", "Cleo", "Dan"]


PAGE = """query ($after: String, $before: String, $kind: TouchKind, $first: Int, $last: Int) {
  contacts(first: $first, last: $last, after: $after, before: $before, orderBy: [
    { touchpoints: { where: { kind: { eq: $kind } }, max: { occurredAt: ASC } } }
  ]) { nodes { firstName } pageInfo { endCursor startCursor hasNextPage hasPreviousPage } } }"""


@pytest.mark.parametrize("is_backwards", [False, True])
async def test_pages_follow_each_other(world: Database, is_backwards: bool) -> None:
    size, end, onward = ("last", "before", "startCursor") if is_backwards else ("first", "after", "endCursor")
    walked: list[str] = []
    info: dict[str, object] = {onward: None}
    for _ in range(4):
        page = (await answered(world, PAGE, kind="CALL", **{size: 1, end: info[onward]}))["contacts"]
        walked += [node["firstName"] for node in page["nodes"]]
        info = page["pageInfo"]
    assert info["hasPreviousPage" if is_backwards else "hasNextPage"] is False
    assert walked == (["Cleo", "Dan", "Bob", "Ada"] if is_backwards else ["Ada", "Bob", "Dan", "Cleo"])


async def test_a_cursor_belongs_to_the_filter_of_the_rows_that_count(world: Database) -> None:
    database = LoggingDatabase(world)
    first = (await answered(database, PAGE, kind="CALL", first=1))["contacts"]
    await answered(database, PAGE, kind="FORM", first=1)
    assert len({text for text, _ in database.texts}) == 2  # the order is part of the statement
    error = await refused(world, PAGE, kind="FORM", first=1, after=first["pageInfo"]["endCursor"])
    assert isinstance(error, AccordError)
    assert "is not a cursor of this list in this order" in error.message


async def test_the_operands_of_a_filter_are_bound(world: Database) -> None:
    database = LoggingDatabase(world)
    document = """query ($since: DateTime, $kind: TouchKind, $least: Int) { contacts(where: {
      touchpoints: { where: { kind: { eq: $kind } }, count: { gte: $least }, max: { occurredAt: { gte: $since } } }
    }) { nodes { firstName } } }"""
    for kind, least, expected in (("CALL", 2, ["Bob"]), ("FORM", 1, ["Ada"])):
        found = await answered(database, document, since="2026-03-04T00:00:00Z", kind=kind, least=least)
        assert [node["firstName"] for node in found["contacts"]["nodes"]] == expected
    assert len({text for text, _ in database.texts}) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("where: { touchpoints: { where: {} } }", ErrorCode.BAD_INPUT, "says which rows count"),
        ("where: { touchpoints: { count: { gte: null } } }", ErrorCode.BAD_INPUT, "has no value to compare with"),
        ("orderBy: [{ touchpoints: {} }]", ErrorCode.BAD_INPUT, "names 0 aggregates"),
        ("orderBy: [{ touchpoints: { where: {} } }]", ErrorCode.BAD_INPUT, "names 0 aggregates"),
        (
            "orderBy: [{ touchpoints: { count: ASC, max: { occurredAt: ASC } } }]",
            ErrorCode.BAD_INPUT,
            "names 2 aggregates",
        ),
        (
            f"orderBy: [{', '.join(['{ touchpoints: { count: ASC } }'] * (MAX_LIST_AGGREGATES + 1))}]",
            ErrorCode.TOO_LARGE,
            f"It may sort by {MAX_LIST_AGGREGATES}",
        ),
        (
            f"orderBy: [{{ touchpoints: {{ where: {'{ not: ' * 40}{{}}{'}' * 40}, count: ASC }} }}]",
            ErrorCode.TOO_LARGE,
            "nested on more than",
        ),
    ],
)
async def test_an_aggregate_that_is_not_clear_is_rejected(
    arguments: str, code: ErrorCode, message: str, world: Database
) -> None:
    error = await refused(world, f"{{ contacts({arguments}) {{ totalCount }} }}")
    assert isinstance(error, AccordError)
    assert error.code is code
    assert message in error.message


async def test_money_cannot_be_compared_across_currencies(world: Database) -> None:
    """Amounts of several currencies have no order, so the contract has no such input."""
    for argument in (
        "orderBy: [{ deals: { sum: { amount: ASC } } }]",
        'where: { deals: { max: { amount: { lt: "1" } } } }',
    ):
        found = await executed(world, f"{{ companies({argument}) {{ totalCount }} }}")
        assert "unknown field 'amount'" in (found.errors or ())[0].message


async def test_companies_are_sorted_by_converted_revenue_won(world: Database) -> None:
    """Bolt has won 100 USD, which is less than the 90 EUR of Acme; its deal in CHF has no rate."""
    document = """{ companies(orderBy: [
        { deals: { where: { outcome: { eq: WON } }, sum: { amountConverted: DESC } } } ]) {
        nodes { name } }
      rich: companies(where: {
        deals: { where: { outcome: { eq: WON } }, sum: { amountConverted: { gt: "89.99" } } } }) {
        nodes { name } }
      largest: companies(where: { deals: { max: { amountConverted: { eq: "50" } } } }) { nodes { name } } }"""
    body = {"reporting": {"currency": "EUR", "timezone": "UTC"}}
    version = accord_row(body, id=uid(50))
    rate = {"id": uid(51), "currency": "USD", "quote_currency": "EUR", "rate_on": START.date(), "rate": Decimal("0.5")}
    deals = [
        (ACME, "90", "EUR", "WON"),
        (ACME, "900", "EUR", "LOST"),
        (BOLT, "100", "USD", "WON"),
        (BOLT, "999", "CHF", "WON"),
    ]
    rows = [
        {"id": uid(300 + number), "company_id": company, "amount": Decimal(amount), "currency": currency}
        | {"outcome": outcome, "closed_at": START}
        for number, (company, amount, currency, outcome) in enumerate(deals)
    ]
    async with world.write() as session:
        await put(session, "accord_version", version)
        await put(session, "exchange_rate", rate)
        await put(session, "deal", *rows)
    found = await answered(world, document)
    async with world.write() as session:
        await delete_versions(session)
        await session.script("delete from deal where outcome <> 'OPEN'; delete from exchange_rate")
    assert {key: [node["name"] for node in value["nodes"]] for key, value in found.items()} == {
        "companies": ["Acme", "Bolt"],
        "rich": ["Acme"],
        "largest": ["Bolt"],
    }


async def test_converted_aggregates_need_a_reporting_currency(world: Database) -> None:
    for argument in (
        "orderBy: [{ deals: { sum: { amountConverted: ASC } } }]",
        'where: { deals: { sum: { amountConverted: { lt: "1" } } } }',
    ):
        error = await refused(world, f"{{ companies({argument}) {{ totalCount }} }}")
        assert isinstance(error, AccordError)
        assert error.code is ErrorCode.NO_REPORTING_CURRENCY
