"""As of every instant, lists, KPIs and the funnel agree: a list shows what a KPI counts and what it excludes."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.db import Database
from api.funnel.evaluate import evaluate
from api.sql import Sql
from api.workflows.make_sample import make_sample
from tests.metrics.test_against_oracle import QUICK
from tests.support.examples import examples
from tests.support.graphql import answered

UNTIL = date(2026, 3, 1)
MOMENT = timedelta(microseconds=1)


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    """A sample company with more people and deals than usual that KPIs leave out, some of them deleted since."""
    # Contacts from the oldest on: the survivor of a merge is in the lists of the past from its own beginning.
    begins = "(select min(coalesce(valid_from, recorded_at)) from contact_version v where v.contact_id = c.id)"
    people = f"(select c.id, row_number() over (order by {begins}, c.id) as place from contact c) a"
    deals = "(select id, row_number() over (order by id) as place from deal) a"
    async with module_database.write() as session:
        await make_sample(session, contacts=500, seed=5, until=UNTIL)
        await session.script(
            f"update contact c set is_test = true from {people} where c.id = a.id and a.place % 9 = 1;"
            f"update contact c set is_internal = true from {people} where c.id = a.id and a.place % 9 = 2;"
            f"update contact c set deleted_at = now() from {people} where c.id = a.id and a.place % 9 = 3;"
            f"update contact c set merged_into_id = b.id from {people} join {people[:-1]}b on b.place = a.place - 1"
            " where c.id = a.id and a.place % 45 = 0;"
            f"update deal d set deleted_at = now() from {deals} where d.id = a.id and a.place % 9 = 4;"
            "set local accord.history_is_given = on;"
            f"update deal d set amount = -d.amount from {deals} where d.id = a.id and a.place % 9 = 5;"
            f"update deal_version d set amount = -d.amount from {deals} where d.deal_id = a.id and a.place % 9 = 5"
        )
        await evaluate(session)
    return module_database


@pytest.fixture(scope="module")
async def borders(company: Database) -> list[datetime]:
    """Instants at which a deal is opened, changed or closed, or a person enters or leaves a stage."""
    async with company.read() as session:
        rows = await session.rows(
            Sql(
                "select opened_at as at from deal union select closed_at from deal"
                " union select valid_to from deal_version union select entered_at from stage_entry"
                " union select exited_at from stage_entry order by 1"
            )
        )
    return [row["at"] for row in rows if row["at"] is not None][::7]


@settings(QUICK, max_examples=examples(40))
@given(data=st.data())
async def test_lists_kpis_and_the_funnel_agree_as_of_every_instant(
    company: Database, borders: list[datetime], data: st.DataObject
) -> None:
    border = data.draw(st.sampled_from(borders))
    instant = data.draw(st.sampled_from([border - MOMENT, border, border + MOMENT])).astimezone(UTC).isoformat()
    counts = "n excluded { reasons { reason count } }"
    as_of, switches = f'asOf: "{instant}"', f'switches: {{ asOf: "{instant}" }}'
    document = f"""{{
      open: kpi(key: OPEN_PIPELINE, {switches}) {{ {counts} }}
      openDeals: deals({as_of}, where: {{ outcome: {{ eq: OPEN }}, amount: {{ isNull: false }} }}) {{ totalCount }}
      won: kpi(key: DEALS_WON, {switches}) {{ {counts} }}
      wonDeals: deals({as_of}, where: {{ outcome: {{ eq: WON }} }}) {{ totalCount }}
      closed: kpi(key: WIN_RATE, {switches}) {{ {counts} }}
      closedDeals: deals({as_of}, where: {{ outcome: {{ in: [WON, LOST] }} }}) {{ totalCount }}
      suspects: kpi(key: STAGE_VOLUME, where: {{ stage: {{ eq: "suspect" }} }}, {switches}) {{ {counts} }}
      people: contacts({as_of}) {{ totalCount }}
      countedPeople: contacts({as_of}, where: {{ isCounted: {{ eq: true }} }}) {{ totalCount }}
      funnel({switches}) {{ stages {{ key reached }} excluded {{ reasons {{ reason count }} }} }}
    }}"""
    found = await answered(company, document)
    for kpi, listed in (("open", "openDeals"), ("won", "wonDeals"), ("closed", "closedDeals"), ("suspects", "people")):
        assert found[kpi]["n"] + shown(found[kpi]) == found[listed]["totalCount"], (kpi, instant)
    # Before the first fact, the funnel has no numbers.
    reached = found["funnel"]["stages"][0]["reached"] or 0
    assert found["suspects"]["n"] == found["countedPeople"]["totalCount"] == reached
    assert shown(found["suspects"]) == shown(found["funnel"])


def shown(answer: dict[str, Any]) -> int:
    """How many of the excluded records a list shows: it leaves out the deleted and the merged."""
    reasons = answer["excluded"]["reasons"]
    return sum(part["count"] for part in reasons if part["reason"] in ("TEST", "INTERNAL", "NEGATIVE"))
