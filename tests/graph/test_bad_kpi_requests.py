"""Requests for KPIs that make no sense, through the contract: an error that says so, or null with a reason."""

from datetime import UTC, datetime
from typing import Any

import pytest

from api.accord.documents import read_accord
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from api.metrics.breakdowns import group_limit
from api.metrics.breakdowns.group_limit import MOST_FIGURES, MOST_GROUPS
from api.workflows.adopt_accord import adopt_accord
from tests.support.graphql import answered, put, refused, uid

AT = datetime(2026, 3, 1, tzinfo=UTC)
COMPANIES = MOST_GROUPS + 10
DAYS = 'range: { from: "2025-01-01", before: "2026-04-01" }'


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    """One deal won for each of many companies, of amounts that rise from 1; and one person."""
    async with module_database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        await put(session, "pipeline", {"id": uid(11), "name": "New"})
        stage = {"pipeline_id": uid(11), "name": "Won", "rank": 1, "category": "WON"}
        await put(session, "pipeline_stage", {"id": uid(21), **stage})
        for number in range(1, COMPANIES + 1):
            company, deal = uid(1000 + number), uid(5000 + number)
            await put(session, "company", {"id": company, "name": f"Firm {number:03}", "effective_at": AT})
            links = {"company_id": company, "pipeline_stage_id": uid(21)}
            amount = {"amount": number, "currency": "EUR"}
            closing = {"outcome": "WON", "closed_at": AT, "effective_at": AT}
            await put(session, "deal", {"id": deal, **closing, **amount, **links})
        await put(session, "contact", {"id": uid(3000), "country": "DE", "effective_at": AT})
        form = {"kind": "FORM", "direction": "INBOUND", "occurred_at": AT}
        await put(session, "touchpoint", {"id": uid(4000), "contact_id": uid(3000), **form})
        await evaluate(session)
    return module_database


async def kpi(world: Database, arguments: str, fields: str) -> Any:  # noqa: ANN401 - a response
    return (await answered(world, f"{{ kpi({arguments}) {{ {fields} warnings {{ code message }} }} }}"))["kpi"]


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ("key: DEALS_WON, by: [REJECT_REASON]", ErrorCode.BAD_INPUT, "has no dimension REJECT_REASON"),
        ("key: DEALS_WON, where: { rejectReason: { isNull: true } }", ErrorCode.BAD_INPUT, "has no dimension"),
        ("key: DEALS_WON, by: [COMPANY, OWNER, COMPANY]", ErrorCode.BAD_INPUT, "names the dimension COMPANY twice"),
        ("key: DEALS_WON, by: [OWNER, COMPANY, COMPANY]", ErrorCode.BAD_INPUT, "names the dimension COMPANY twice"),
        ("key: DEALS_WON, by: [COMPANY, OWNER, PIPELINE, TEAM]", ErrorCode.BAD_INPUT, "at most 3 dimensions"),
        (
            "key: DEALS_WON, by: [COMPANY, OWNER, PIPELINE]",
            ErrorCode.TOO_MANY_GROUPS,
            f"COMPANY and OWNER and PIPELINE has {COMPANIES} groups. The limit is {MOST_GROUPS}.",
        ),
        (
            f"key: DEALS_WON, by: [COMPANY], top: 150, grain: DAY, period: {{ {DAYS} }}",
            ErrorCode.TOO_MANY_GROUPS,
            f"151 groups of 455 buckets: 68,705 figures. The limit is {MOST_FIGURES:,}.",
        ),
        ("key: DEALS_WON, by: [COMPANY], top: 0", ErrorCode.BAD_INPUT, "`top` is 0"),
        ("key: DEALS_WON, top: 3", ErrorCode.BAD_INPUT, "names no dimension"),
        (
            'key: DEALS_WON, period: { range: { from: "2026-03-01", before: "2026-03-01" } }',
            ErrorCode.BAD_PERIOD,
            "2026-03-01",
        ),
        (
            'key: DEALS_WON, period: { range: { from: "2026-03-02", before: "2026-03-01" } }',
            ErrorCode.BAD_PERIOD,
            "2026-03-0",
        ),
        (
            'key: DEALS_WON, grain: DAY, period: { range: { from: "1000-01-01", before: "2027-01-01" } }',
            ErrorCode.BAD_PERIOD,
            "buckets",
        ),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(
    world: Database, arguments: str, code: ErrorCode, text: str
) -> None:
    error = await refused(world, f"{{ kpi({arguments}) {{ value breakdown {{ n }} }} }}")
    assert isinstance(error, AccordError)
    assert error.code is code
    assert text in error.message
    assert error.remedy


@pytest.mark.parametrize(
    "arguments",
    ["key: DEALS_WON, grain: HOUR", "key: DEALS_WON, by: [COLOUR]", "key: DEALS_DOUBLED", "key: DEALS_WON, top: 1.5"],
)
async def test_a_word_that_the_contract_does_not_have_is_refused(world: Database, arguments: str) -> None:
    error = await refused(world, f"{{ kpi({arguments}) {{ value }} }}")
    assert not isinstance(error, AccordError)


async def test_a_period_of_ten_thousand_years_counts_what_there_is(world: Database) -> None:
    period = 'period: { range: { from: "0001-01-01", before: "9999-12-31" } }'
    error = await refused(world, f"{{ kpi(key: DEALS_WON, {period}) {{ value }} }}")
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.BAD_PERIOD


async def test_a_filter_that_leaves_nothing_gives_no_share_and_says_why(world: Database) -> None:
    found = await kpi(world, "key: WIN_RATE, where: { pipeline: { isNull: true } }", "value n")
    assert (found["value"], found["n"]) == (None, 0)
    assert [warning["code"] for warning in found["warnings"]] == ["ZERO_DENOMINATOR"]


async def test_the_highest_groups_and_the_others_together(world: Database) -> None:
    fields = "value n breakdown { keys { value label isOther } value n records(first: 1) { totalCount } }"
    found = await kpi(world, "key: REVENUE_WON, by: [COMPANY], top: 2", fields)
    whole = COMPANIES * (COMPANIES + 1) // 2
    top = [(f"Firm {number:03}", False, float(number), 1) for number in (COMPANIES, COMPANIES - 1)]
    rest = ("Other", True, float(whole - COMPANIES - COMPANIES + 1), COMPANIES - 2)
    groups = [
        (group["keys"][0]["label"], group["keys"][0]["isOther"], float(group["value"]), group["n"])
        for group in found["breakdown"]
    ]
    assert groups == [*top, rest]
    assert found["breakdown"][-1]["keys"][0]["value"] is None
    assert [group["records"]["totalCount"] for group in found["breakdown"]] == [1, 1, COMPANIES - 2]


async def test_rows_beyond_the_limit_are_not_read(world: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_limit, "_MOST_ROWS", COMPANIES - 1)
    for arguments in ("key: DEALS_WON, by: [COMPANY]", "key: DEALS_WON, by: [COMPANY], top: 3"):
        error = await refused(world, f"{{ kpi({arguments}) {{ value }} }}")
        assert isinstance(error, AccordError)
        assert error.code is ErrorCode.TOO_MANY_GROUPS
        assert f"more than {COMPANIES - 1} rows" in error.message


async def test_an_answer_with_top_is_found_again_by_its_id(world: Database) -> None:
    fields = "id breakdown { n keys { label } }"
    found = await kpi(world, "key: REVENUE_WON, by: [COMPANY], top: 2", fields)
    document = f'{{ node(id: "{found["id"]}") {{ ... on KpiAnswer {{ {fields} }} }} }}'
    again = (await answered(world, document))["node"]
    assert (again["id"], again["breakdown"]) == (found["id"], found["breakdown"])
    other = await kpi(world, "key: REVENUE_WON, by: [COMPANY], top: 3", fields)
    assert other["id"] != found["id"]
