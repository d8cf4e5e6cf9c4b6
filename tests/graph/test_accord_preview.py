"""The preview of a version of the accord over GraphQL: its figures, its lists of people, and who may see them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from api.access.principal import LOCAL_OPERATOR, Principal
from api.accord.in_force import accord_in_force
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.metrics.periods.period_days import period
from api.metrics.preview.figures import Preview
from api.metrics.preview.requested import PreviewRequest, requested_preview
from api.metrics.preview.running_previews import MOST_AT_ONCE
from api.workflows.make_sample import make_sample
from schema.access.rights import Reach, Right
from tests.bench.funnel_preview import stricter
from tests.support.graphql import answered, code_of, executed, refused
from tests.support.previews import add_draft

PERIOD = 'period: { named: "2026-Q1" }'


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    async with module_database.write() as session:
        await make_sample(session, contacts=400, seed=3, until=date(2026, 6, 30))
    async with module_database.write() as session:
        in_force = (await accord_in_force(session)).accord
        await add_draft(session, stricter(in_force))
        everybody = in_force.model_copy(
            update={
                "stages": tuple(stage.model_copy(update={"rule": in_force.stages[0].rule}) for stage in in_force.stages)
            }
        )
        await add_draft(session, everybody, number=3)
    return module_database


async def stage(
    database: Database, key: str, selection: str, arguments: str = f"version: 2, {PERIOD}"
) -> dict[str, Any]:
    document = f"{{ accordPreview({arguments}) {{ stages {{ key {selection} }} }} }}"
    found = (await answered(database, document))["accordPreview"]
    rows: list[dict[str, Any]] = found["stages"]
    return next(row for row in rows if row["key"] == key)


async def test_a_preview_shows_every_part(company: Database) -> None:
    document = f"""{{ accordPreview(version: 2, {PERIOD}) {{
      id version hash comparedVersion comparedHash period {{ from before isOver }} grain asOf computedAt expiresAt
      dataWatermark currency
      stages {{ key title owner change isEvaluated countBefore countAfter enteredBefore enteredAfter gained lost moved
        gainedMoney {{ deals }} lostMoney {{ deals pipeline revenue revenueFloat unknown }}
        buckets {{ period from before countBefore countAfter gained lost moved }}
        outcomes {{ stage title countedBefore reachedBefore reached precisionBefore recallAfter recallAfterFloat }} }}
      kpis {{ key title unit currency baseStage targetStage isChanged
        figureBefore {{ value n note }} figureAfter {{ value numerator denominator }} }}
      targets {{ clause kpi title goal }} duties {{ clause team title owed valueBefore valueAfter }}
      sellers {{ memberId name countBefore countAfter mostAfter weeks {{ from countBefore countAfter }} }}
      coverage {{ grade share people complete assumed undated }}
      warnings {{ code message count }} }} }}"""
    found = (await answered(company, document))["accordPreview"]
    assert found["id"].startswith("accord_preview_")
    assert (found["version"], found["comparedVersion"], found["grain"]) == (2, 1, "MONTH")
    assert found["hash"] != found["comparedHash"]
    assert found["period"] == {"from": "2026-01-01", "before": "2026-04-01", "isOver": True}
    stages = {row["key"]: row for row in found["stages"]}
    mql = stages["mql"]
    assert [bucket["period"] for bucket in mql["buckets"]] == ["2026-01", "2026-02", "2026-03"]
    assert mql["countBefore"] - mql["lost"] + mql["gained"] == mql["countAfter"] < mql["countBefore"]
    assert sum(bucket["countAfter"] for bucket in mql["buckets"]) == mql["countAfter"]
    assert [key for key, row in stages.items() if row["isEvaluated"]] == ["mql"]
    assert [row["stage"] for row in mql["outcomes"]] == ["sal", "sql", "opportunity", "customer"]
    assert stages["sql"]["outcomes"] == []
    assert {row["key"] for row in found["kpis"] if row["isChanged"]} >= {"MQLS", "STAGE_CONVERSION"}
    assert not any(row["isChanged"] for row in found["kpis"] if row["key"] == "SQLS")
    sellers = found["sellers"]
    assert all(sum(week["countBefore"] for week in row["weeks"]) == row["countBefore"] for row in sellers)
    assert any(row["memberId"] for row in sellers)


async def test_the_same_request_returns_the_stored_preview_until_a_fact_is_recorded(company: Database) -> None:
    document = f"{{ accordPreview(version: 2, {PERIOD}) {{ id computedAt }} }}"
    first = await answered(company, document)
    assert await answered(company, document) == first
    monthly = document.replace("2026-Q1", "2026-03")
    assert (await answered(company, monthly))["accordPreview"]["id"] != first["accordPreview"]["id"]


@pytest.mark.parametrize("change", ["touchpoint", "exchange_rate"])
async def test_a_stored_preview_ends_with_the_facts_and_rates_that_it_was_computed_from(
    company: Database, change: str
) -> None:
    document = f"{{ accordPreview(version: 2, {PERIOD}) {{ id }} }}"
    first = await answered(company, document)
    if change == "touchpoint":
        contact = (await answered(company, "{ contacts(first: 1) { nodes { id } } }"))["contacts"]["nodes"][0]["id"]
        given = {
            "contact": {"id": contact},
            "kind": "FORM",
            "direction": "INBOUND",
            "occurredAt": "2026-02-01T00:00:00Z",
        }
        record = """mutation ($given: LogTouchpointInput!) { logTouchpoint(input: $given) {
          userErrors { message } } }"""
        done = (await answered(company, record, given=given))["logTouchpoint"]
    else:
        given = {"currency": "CHF", "quoteCurrency": "USD", "rateOn": "2026-01-01", "rate": "9.99"}
        record = """mutation ($given: CreateExchangeRateInput!) { createExchangeRate(input: $given) {
          userErrors { message } } }"""
        done = (await answered(company, record, given=given))["createExchangeRate"]
    assert done["userErrors"] == []
    second = await answered(company, document)
    assert second != first
    assert await answered(company, document) == second


COMMENT = """mutation ($given: CommentAccordInput!) { commentAccord(input: $given) {
  accord { rowVersion } userErrors { message } } }"""


async def test_a_stored_preview_stays_when_a_version_is_commented_on(company: Database) -> None:
    document = f"{{ accordPreview(version: 2, {PERIOD}) {{ id }} }}"
    first = await answered(company, document)
    for clause in ("stages.mql.rule", None):
        given = {"version": 2, "text": "Why three?", "clause": clause}
        assert (await answered(company, COMMENT, given=given))["commentAccord"]["userErrors"] == []
        assert await answered(company, document) == first


async def test_people_are_paged_with_reasons_and_any_field(company: Database) -> None:
    people = """lost people(change: LOST, first: 2, after: %s) { totalCount pageInfo { hasNextPage endCursor }
      nodes { id } edges { cursor instantBefore instantAfter reason node { id email stage { key } } } }"""
    after, seen = "null", list[str]()
    while True:
        found = await stage(company, "mql", people % after)
        page = found["people"]
        assert page["totalCount"] == found["lost"] > 2
        assert [edge["node"] for edge in page["edges"]] == [
            {"id": node["id"], "email": edge["node"]["email"], "stage": edge["node"]["stage"]}
            for node, edge in zip(page["nodes"], page["edges"], strict=True)
        ]
        assert all("at least 3 inbound touches less than 30 days ago" in edge["reason"] for edge in page["edges"])
        assert all(edge["instantBefore"].startswith("2026-0") for edge in page["edges"])
        seen += [node["id"] for node in page["nodes"]]
        after = f'"{page["pageInfo"]["endCursor"]}"'
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(seen) == len(set(seen)) == found["lost"]
    last = (await stage(company, "mql", "people(change: LOST, last: 2) { nodes { id } }"))["people"]
    assert [node["id"] for node in last["nodes"]] == seen[-2:]
    months = await stage(
        company, "mql", "buckets { lost people(change: LOST, first: 500) { totalCount nodes { id } } }"
    )
    assert [month["people"]["totalCount"] for month in months["buckets"]] == [
        month["lost"] for month in months["buckets"]
    ]
    assert [node["id"] for month in months["buckets"] for node in month["people"]["nodes"]] == seen


async def test_a_bad_cursor_is_refused(company: Database) -> None:
    people = 'people(change: LOST, after: "x") { totalCount }'
    document = f"{{ accordPreview(version: 2, {PERIOD}) {{ stages {{ {people} }} }} }}"
    result = await executed(company, document)
    assert result.errors is not None
    assert {code_of(error) for error in result.errors} == {ErrorCode.BAD_INPUT.value}


async def test_one_stage_alone_is_selected_by_its_key(company: Database) -> None:
    document = f"{{ accordPreview(version: 2, {PERIOD}) {{ stages(key: %s) {{ key lost }} }} }}"
    [found] = (await answered(company, document % '"mql"'))["accordPreview"]["stages"]
    assert found == await stage(company, "mql", "lost")
    everything = (await answered(company, document % "null"))["accordPreview"]["stages"]
    assert len(everything) == 7


async def test_a_stage_that_neither_version_has_is_refused(company: Database) -> None:
    error = await refused(company, f'{{ accordPreview(version: 2, {PERIOD}) {{ stages(key: "lead") {{ key }} }} }}')
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.UNKNOWN_STAGE


async def test_a_preview_that_takes_longer_goes_on_and_is_stored(company: Database) -> None:
    days = period(date(2026, 2, 1), date(2026, 3, 1))
    request, now = PreviewRequest(2, None, days), datetime(2026, 6, 30, tzinfo=UTC)
    with pytest.raises(AccordError) as caught:
        await requested_preview(company, LOCAL_OPERATOR, request, now=now, wait=timedelta(0))
    assert caught.value.code is ErrorCode.EVALUATING
    found = await requested_preview(company, LOCAL_OPERATOR, request, now=now, wait=None)
    assert found.computed_at == now
    stored = await requested_preview(company, LOCAL_OPERATOR, request, now=now + timedelta(days=1), wait=timedelta(0))
    assert stored == found


async def test_a_process_computes_so_many_previews_at_once_and_leaves_the_other_connections(company: Database) -> None:
    now = datetime(2026, 6, 30, tzinfo=UTC)

    async def ask(month: int, wait: timedelta | None = timedelta(0)) -> Preview:
        days = period(date(2025, month, 1), date(2025, month + 1, 1))
        return await requested_preview(company, LOCAL_OPERATOR, PreviewRequest(2, None, days), now=now, wait=wait)

    for month in range(1, MOST_AT_ONCE + 1):  # they run on
        with pytest.raises(AccordError, match="is not computed yet"):
            await ask(month)
    connections = [use.in_use for use in company.pool_uses()]
    for month in range(MOST_AT_ONCE + 1, MOST_AT_ONCE + 6):
        with pytest.raises(AccordError, match=f"computes {MOST_AT_ONCE} other previews") as caught:
            await ask(month)
        assert caught.value.code is ErrorCode.EVALUATING
    assert sum(connections) <= MOST_AT_ONCE
    for month in range(1, MOST_AT_ONCE + 1):  # whoever asks for the same joins it, or finds it stored
        assert (await ask(month, None)).computed_at == now
    assert (await ask(MOST_AT_ONCE + 1, None)).computed_at == now


async def test_lists_within_people_have_the_limit_of_every_list(company: Database) -> None:
    touches = "touchpoints(first: 500) { nodes { contact { touchpoints(first: 500) { nodes { id } } } } }"
    people = f"people(change: LOST) {{ nodes {{ {touches} }} }}"
    error = await refused(company, f'{{ accordPreview(version: 2, {PERIOD}) {{ stages(key: "mql") {{ {people} }} }} }}')
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.TOO_LARGE


async def test_personal_data_of_people_needs_its_right(company: Database) -> None:
    document = f"""{{ accordPreview(version: 2, {PERIOD}) {{ stages {{
      people(change: LOST, first: 1) {{ edges {{ reason node {{ email jobTitle }} }} }} }} }} }}"""
    result = await executed(company, document, Principal(Reach.ALL))
    assert result.errors is None
    assert list(result.redacted) == ["Contact.email"]
    edges = [edge for row in result.data["accordPreview"]["stages"] for edge in row["people"]["edges"]]
    assert edges
    assert {edge["node"]["email"] for edge in edges} == {None}


@pytest.mark.parametrize("reach", [Reach.TEAM, Reach.OWN])
async def test_a_preview_needs_the_reach_all(company: Database, reach: Reach) -> None:
    document = f"{{ accordPreview(version: 2, {PERIOD}) {{ id }} }}"
    result = await executed(company, document, Principal(reach, rights=frozenset(Right)))
    assert result.errors is not None
    assert code_of(result.errors[0]) == ErrorCode.NOT_ALLOWED.value


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("version: 9", ErrorCode.UNKNOWN_VALUE),
        ("version: 2, compareTo: 7", ErrorCode.UNKNOWN_VALUE),
        ('version: 2, period: { named: "2999" }', ErrorCode.BAD_PERIOD),
    ],
)
async def test_what_cannot_be_previewed_is_refused(company: Database, arguments: str, code: ErrorCode) -> None:
    error = await refused(company, f"{{ accordPreview({arguments}) {{ id }} }}")
    assert isinstance(error, AccordError)
    assert error.code is code


async def test_version_1_is_compared_with_itself_and_changes_nothing(company: Database) -> None:
    mql = await stage(company, "mql", "isEvaluated countBefore countAfter gained lost moved", f"version: 1, {PERIOD}")
    assert mql["countBefore"] == mql["countAfter"] > 0
    assert (mql["isEvaluated"], mql["gained"], mql["lost"], mql["moved"]) == (False, 0, 0, 0)


async def test_an_accord_by_which_everybody_is_a_customer_is_warned_of(company: Database) -> None:
    document = f"{{ accordPreview(version: 3, {PERIOD}) {{ warnings {{ code message count }} }} }}"
    found = (await answered(company, document))["accordPreview"]["warnings"]
    [warning] = [warning for warning in found if warning["code"] == "EVERYBODY_REACHES_TOP"]
    assert warning["count"] >= 380
    assert "people reach Customer" in warning["message"]


async def test_a_period_before_any_data_is_warned_of(company: Database) -> None:
    document = """{ accordPreview(version: 2, period: { named: "2001" }) {
      coverage { grade share } warnings { code message } stages { countBefore } } }"""
    found = (await answered(company, document))["accordPreview"]
    [warning] = found["warnings"]
    assert warning["code"] == "PERIOD_BEFORE_DATA"
    assert warning["message"].startswith("The period ends on 2001-12-31, before the data begin, on ")
    assert found["coverage"] == {"grade": None, "share": None}
    assert {row["countBefore"] for row in found["stages"]} == {0}
