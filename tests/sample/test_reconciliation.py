"""How many people are in a stage now has four figures. Every difference between them has one named reason."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from api.db import Database
from api.funnel.evaluate import evaluate
from api.sql import Sql
from api.workflows.make_sample import make_sample
from tests.sample.conftest import STAGES
from tests.support.graphql import answered, put, uid

UNTIL = date(2026, 3, 1)
PAST = datetime(2025, 12, 1, tzinfo=UTC)
EVERYONE_EVER = 'period: { range: { from: "2020-01-01", before: "2026-03-02" } }'
DEAL, TEST_DEAL, GONE_DEAL, TESTER, OTHER, AGAIN = (uid(number) for number in range(1, 7))


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    """A sample company, with one case of everything that so few people do not bring along."""
    async with module_database.write() as session:
        await make_sample(session, contacts=600, seed=3, until=UNTIL)
    async with module_database.write() as session:
        # A customer whose next deal is lost and who shows interest again is an MQL and a customer at the same time.
        customer = await session.value(
            Sql(
                "select contact_id from stage_entry e where stage = 'customer' and entered_at < {}"
                " and exists (select from contact c where c.id = e.contact_id and c.email is not null"
                " and not c.email_opt_out) and (select count(*) from deal_contact a"
                " where a.contact_id = e.contact_id) = 1 order by 1 limit 1",
                PAST - timedelta(days=60),
            )
        )
        lost = {"id": DEAL, "outcome": "LOST", "opened_at": PAST, "closed_at": PAST, "effective_at": PAST}
        await put(session, "deal", lost)
        await put(session, "deal_contact", {"contact_id": customer, "deal_id": DEAL})
        touch = {"contact_id": customer, "kind": "FORM", "direction": "INBOUND"}
        for number in (1, 2):
            await put(session, "touchpoint", touch | {"id": uid(number), "occurred_at": PAST + timedelta(days=number)})
        await session.run(
            Sql(
                "update contact set is_test = true where id in (select contact_id from stage_entry where stage = 'mql'"
                " and exited_at is null order by 1 limit 2)"
            )
        )
        # A deal of a tester alone, and a deleted deal.
        await put(session, "contact", {"id": TESTER, "is_test": True, "effective_at": PAST})
        await put(session, "deal", {"id": TEST_DEAL, "outcome": "OPEN", "amount": 1, "effective_at": PAST})
        await put(session, "deal_contact", {"contact_id": TESTER, "deal_id": TEST_DEAL})
        gone = {"id": GONE_DEAL, "outcome": "OPEN", "amount": 1, "effective_at": PAST}
        await put(session, "deal", gone | {"deleted_at": PAST + timedelta(days=9)})
        # A win of a tester alone, a refund, a deleted win, and a second win of a customer by a person merged into them.
        won = {"outcome": "WON", "closed_at": PAST, "opened_at": PAST, "effective_at": PAST, "currency": "EUR"}
        await put(session, "contact", {"id": AGAIN, "merged_into_id": customer, "effective_at": PAST})
        for number, person, amount, deleted in (
            (11, TESTER, 10, None),
            (12, OTHER, -10, None),
            (13, OTHER, 10, PAST),
            (14, AGAIN, 10, None),
        ):
            if number == 12:
                await put(session, "contact", {"id": OTHER, "effective_at": PAST - timedelta(days=1)})
            await put(session, "deal", won | {"id": uid(number), "amount": amount, "deleted_at": deleted})
            await put(session, "deal_contact", {"contact_id": person, "deal_id": uid(number), "is_primary": True})
        await evaluate(session)
    return module_database


async def ids(database: Database, field: str, where: str, arguments: str = "", select: str = "id") -> dict[str, Any]:
    """Return the selected records of all pages of a list, by id."""
    found: dict[str, Any] = {}
    after = "null"
    while True:
        document = (
            f"{{ list: {field}(first: 500, after: {after}, where: {where} {arguments})"
            f" {{ nodes {{ {select} }} pageInfo {{ hasNextPage endCursor }} }} }}"
        )
        page = (await answered(database, document))["list"]
        for node in page["nodes"]:
            id_ = node["id"] if "id" in node else node["contact"]["id"]
            found[id_.partition("@")[0]] = node  # as of an instant, an id carries it
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = f'"{page["pageInfo"]["endCursor"]}"'


async def records(database: Database, key: str, arguments: str = "", select: str = "id") -> list[Any]:
    """Return the records that a KPI counts."""
    document = (
        f"{{ kpi(key: {key.upper()} {arguments}) {{ records(first: 500) {{ totalCount"
        f" edges {{ node {{ __typename ... on Deal {{ {select} }} }} }} }} }} }}"
    )
    found = (await answered(database, document))["kpi"]["records"]
    assert found["totalCount"] == len(found["edges"])
    return [edge["node"] for edge in found["edges"]]


async def test_the_four_figures_of_people_in_a_stage_differ_by_named_people(company: Database) -> None:
    funnel = (await answered(company, f"{{ funnel({EVERYONE_EVER}) {{ stages {{ key open }} }} }}"))["funnel"]["stages"]
    reasons: Counter[str] = Counter()
    for rank, (stage, step) in enumerate(zip(STAGES[:-1], funnel, strict=False), start=1):
        assert step["key"] == stage
        entries = f'{{ stage: {{ eq: "{stage}" }}, exitedAt: {{ isNull: true }} }}'
        higher = "contact { id stage { rank } }"
        is_open = await ids(company, "stageEntries", entries, select=higher)
        present = await ids(
            company, "contacts", f'{{ stage: {{ key: {{ eq: "{stage}" }} }} }}', select="id isCounted notCountedBecause"
        )
        counted = await ids(
            company, "contacts", f'{{ stage: {{ key: {{ eq: "{stage}" }} }}, isCounted: {{ eq: true }} }}'
        )
        highest = f"stageEntries: {{ none: {{ rank: {{ gt: {rank} }} }} }}"
        waiting = await ids(
            company, "contacts", f'{{ stage: {{ key: {{ eq: "{stage}" }} }}, isCounted: {{ eq: true }}, {highest} }}'
        )
        assert set(waiting) <= set(counted) <= set(present) <= set(is_open)
        # Open entries of people who are in a higher stage as well.
        for person in set(is_open) - set(present):
            assert is_open[person]["contact"]["stage"]["rank"] > rank
            reasons["HIGHER_STAGE"] += 1
        # People whom KPIs never count.
        for person in set(present) - set(counted):
            [reason] = present[person]["notCountedBecause"]
            assert not present[person]["isCounted"]
            reasons[reason] += 1
        # People who reached a higher stage before and left it.
        for person in set(counted) - set(waiting):
            left = await ids(
                company,
                "stageEntries",
                f'{{ contactId: {{ eq: "{person}" }}, rank: {{ gt: {rank} }} }}',
                select="contact { id } exitedAt",
            )
            assert left[person]["exitedAt"] is not None
            reasons["REACHED_HIGHER"] += 1
        assert step["open"] == len(waiting)
    assert set(reasons) == {"HIGHER_STAGE", "TEST", "INTERNAL", "REACHED_HIGHER"}


@pytest.mark.parametrize("as_of", ["", f'asOf: "{PAST.isoformat()}"'])
async def test_the_open_pipeline_is_the_list_of_open_deals_that_count(company: Database, as_of: str) -> None:
    switches = f"switches: {{ {as_of} }}" if as_of else ""
    pipeline = {deal["id"] for deal in await records(company, "open_pipeline", switches)}
    listed = await ids(company, "deals", "{ outcome: { eq: OPEN }, isCounted: { eq: true } }", as_of)
    assert pipeline == set(listed) != set()
    every = await ids(company, "deals", "{ outcome: { eq: OPEN } }", as_of, "id isCounted notCountedBecause")
    others = {deal: every[deal]["notCountedBecause"] for deal in set(every) - pipeline}
    # A deal that was deleted since is in no list, of that instant or of now.
    assert others == {f"deal_{TEST_DEAL}": ["TEST"]}


async def test_new_customers_are_the_companies_with_a_won_deal_that_counts(company: Database) -> None:
    deals = await records(company, "new_customers", f"{EVERYONE_EVER}", "id company { id }")
    customers = {deal["company"]["id"] for deal in deals if deal["company"]}
    won = "{ isCounted: { eq: true }, deals: { some: { outcome: { eq: WON }, isCounted: { eq: true } } } }"
    assert customers
    assert customers == set(await ids(company, "companies", won))
    # The other companies with a won deal have none that counts.
    other = "{ deals: { some: { outcome: { eq: WON } }, none: { outcome: { eq: WON }, isCounted: { eq: true } } } }"
    every = await ids(company, "companies", "{ deals: { some: { outcome: { eq: WON } } } }")
    assert set(every) - customers == set(await ids(company, "companies", other))


async def test_the_five_figures_of_customers_differ_by_named_people_and_deals(company: Database) -> None:
    counts = "n excluded { count reasons { reason count } }"
    document = f"""{{
      people: kpi(key: STAGE_VOLUME, where: {{ stage: {{ eq: "customer" }} }}) {{ {counts} }}
      companies: kpi(key: NEW_CUSTOMERS) {{ {counts} }}
      won: kpi(key: DEALS_WON) {{ {counts} }}
      list: deals(where: {{ outcome: {{ eq: WON }} }}) {{ totalCount }}
      entries: stageEntries(where: {{ stage: {{ eq: "customer" }} }}) {{ totalCount }}
      again: stageEntries(where: {{ stage: {{ eq: "customer" }}, occurrence: {{ gt: 1 }} }}) {{ totalCount }}
      funnel {{ stages {{ key reached }} {counts.removeprefix("n ")} }}
    }}"""
    found = await answered(company, document)
    people, companies, won = found["people"], found["companies"], found["won"]
    assert found["funnel"]["stages"][-1] == {"key": "customer", "reached": people["n"]}
    # The list of deals won shows those of test and internal people and the refunds, which are no wins.
    assert found["list"]["totalCount"] == won["n"] + shown(won["excluded"])
    # The list of entries shows those of people whom KPIs never count, and those of people who became customers again.
    # A merged person has no entry: it is counted beside that of its survivor.
    again = found["again"]["totalCount"]
    assert found["entries"]["totalCount"] == people["n"] + shown(people["excluded"]) + again
    assert {part["reason"]: part["count"] for part in people["excluded"]["reasons"]}["MERGED"] == 1
    assert {part["reason"] for part in won["excluded"]["reasons"]} >= {"TEST", "NEGATIVE", "DELETED"}
    # Every deal won is of one customer: its company, or else that of its main contact, or that person, or itself.
    deals = await records(
        company,
        "deals_won",
        EVERYONE_EVER,
        "id company { id } contactRoles(first: 1, where: { isPrimary: { eq: true } })"
        " { nodes { contact { id company { id } } } }",
    )
    customers = {customer_of(deal) for deal in deals}
    assert (len(deals), len(customers)) == (won["n"], companies["n"])
    # A person is a customer by a role on a won deal that is not deleted and no refund.
    on_deals = "{ dealRoles: { some: { deal: { outcome: { eq: WON } } } }, isCounted: { eq: true } }"
    with_role = set(await ids(company, "contacts", on_deals))
    assert with_role > {f"contact_{OTHER}"}
    assert len(with_role - {f"contact_{OTHER}"}) == people["n"]


def shown(excluded: dict[str, Any]) -> int:
    """How many of the excluded records a list shows: it leaves out the deleted and the merged."""
    return sum(part["count"] for part in excluded["reasons"] if part["reason"] in ("TEST", "INTERNAL", "NEGATIVE"))


def customer_of(deal: dict[str, Any]) -> str:
    if deal["company"]:
        return str(deal["company"]["id"])
    for role in deal["contactRoles"]["nodes"]:
        person = role["contact"]
        return str((person["company"] or person)["id"])
    return str(deal["id"])
