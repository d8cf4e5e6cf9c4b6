"""Drilling down from a number to its records: any field of them, page by page, in the snapshot of the number."""

import base64
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.kpis.drill_down import MAX_LISTS
from api.workflows.make_sample import make_sample
from tests.support.graphql import answered, executed, refused
from tests.support.statement_log import LoggingDatabase


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    async with module_database.write() as session:
        await make_sample(session, contacts=300, seed=3, until=date(2026, 6, 30))
    return module_database


RATE = 'key: STAGE_CONVERSION, stages: { from: "mql", to: "opportunity" }'


async def test_the_people_that_a_rate_counts_can_be_selected_with_any_field(company: Database) -> None:
    document = """{ kpi(%s) { n numerator
      base: records(first: 2) { totalCount nodes { id __typename ... on Contact { email company { name } } } }
      converted: records(side: CONVERTED, first: 500) {
        __typename totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
        edges { cursor at person: node { __typename ... on Contact {
          id email deals: dealRoles(first: 1) { totalCount } } } } }
    } }"""
    found = (await answered(company, document % RATE))["kpi"]
    base, converted = found["base"], found["converted"]
    assert found["n"] > int(found["numerator"]) > 5
    assert (base["totalCount"], str(converted["totalCount"])) == (found["n"], found["numerator"])
    assert [record["__typename"] for record in base["nodes"]] == ["Contact", "Contact"]
    assert converted["__typename"] == "CountedRecordConnection"
    assert len(converted["edges"]) == converted["totalCount"]
    assert converted["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": False,
        "endCursor": converted["edges"][-1]["cursor"],
    }
    assert all(record["person"]["deals"]["totalCount"] for record in converted["edges"])
    assert any(record["person"]["email"] for record in converted["edges"])
    instants = [record["at"] for record in converted["edges"]]
    assert instants == sorted(instants)


async def test_the_records_of_a_group_are_paged_forwards_by_cursor(company: Database) -> None:
    document = """query ($after: String) { kpi(key: DEALS_WON, by: [OWNER]) { breakdown { n
      records(first: 3, after: $after) { nodes { id ... on Deal { outcome owner { name } } }
        pageInfo { hasNextPage endCursor } } keys { label } } } }"""
    seen: list[str] = []
    after = None
    while True:
        group = (await answered(company, document, after=after))["kpi"]["breakdown"][0]
        seen += [node["id"] for node in group["records"]["nodes"]]
        assert {node["outcome"] for node in group["records"]["nodes"]} == {"WON"}
        after = group["records"]["pageInfo"]["endCursor"]
        if not group["records"]["pageInfo"]["hasNextPage"]:
            break
    assert len(seen) == len(set(seen)) == group["n"] > 3


async def test_the_records_of_a_number_are_paged_backwards_from_the_end(company: Database) -> None:
    document = """query ($before: String) { kpi(key: DEALS_WON) { n
      all: records(first: 500) { nodes { id } }
      records(last: 3, before: $before) { nodes { id } edges { cursor }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""
    seen: list[dict[str, Any]] = []
    kpi: dict[str, Any] = {}
    before, has_more = None, True
    while has_more:
        kpi = (await answered(company, document, before=before))["kpi"]
        info = kpi["records"]["pageInfo"]
        assert info["hasNextPage"] == bool(seen)
        cursors = [edge["cursor"] for edge in kpi["records"]["edges"]]
        assert (info["startCursor"], info["endCursor"]) == (cursors[0], cursors[-1])
        seen = [*kpi["records"]["nodes"], *seen]
        before, has_more = info["startCursor"], info["hasPreviousPage"]
    assert seen == kpi["all"]["nodes"]
    assert len(seen) == kpi["n"] > 3


async def test_page_info_is_right_from_both_ends(company: Database) -> None:
    document = """query ($after: String, $before: String) { kpi(key: MQLS) {
      all: records(first: 500) { edges { cursor } }
      first: records(first: 2, after: $after, before: $before) { pageInfo { hasNextPage hasPreviousPage } }
      last: records(last: 2, after: $after, before: $before) { pageInfo { hasNextPage hasPreviousPage } } } }"""

    async def page_infos(begin: int | None, end: int | None) -> list[tuple[bool, bool]]:
        after, before = (None if place is None else cursors[place] for place in (begin, end))
        kpi = (await answered(company, document, after=after, before=before))["kpi"]
        found = (kpi[key]["pageInfo"] for key in ("first", "last"))
        return [(info["hasPreviousPage"], info["hasNextPage"]) for info in found]

    cursors = [edge["cursor"] for edge in (await answered(company, document))["kpi"]["all"]["edges"]]
    assert await page_infos(None, None) == [(False, True), (True, False)]
    assert await page_infos(2, None) == [(True, True), (True, False)]
    assert await page_infos(None, 5) == [(False, True), (True, True)]
    assert await page_infos(2, 5) == [(True, True), (True, True)]
    assert await page_infos(-3, None) == [(True, False), (True, False)]
    assert await page_infos(None, 2) == [(False, True), (False, True)]


async def test_two_dimensions_keep_the_requested_order_and_list_their_people(company: Database) -> None:
    document = """{ kpi(key: MQLS, by: [COUNTRY, CHANNEL]) { n breakdown {
      keys { dimension } n records(first: 1) { totalCount } } } }"""
    kpi = (await answered(company, document.replace("records(first: 1) { totalCount }", "")))["kpi"]
    assert sum(group["n"] for group in kpi["breakdown"]) == kpi["n"]
    assert {tuple(key["dimension"] for key in group["keys"]) for group in kpi["breakdown"]} == {("COUNTRY", "CHANNEL")}
    some = document.replace("MQLS,", 'MQLS, where: { country: { eq: "DE" } },')
    groups = (await answered(company, some))["kpi"]["breakdown"]
    assert groups
    assert [group["records"]["totalCount"] for group in groups] == [group["n"] for group in groups]
    by_three = some.replace("[COUNTRY, CHANNEL]", "[COUNTRY, CHANNEL, LEAD_SOURCE]")
    groups = (await answered(company, by_three))["kpi"]["breakdown"]
    assert groups
    assert [group["records"]["totalCount"] for group in groups] == [group["n"] for group in groups]
    error = await refused(company, document.replace("[COUNTRY, CHANNEL]", "[COUNTRY, CHANNEL, OWNER, TEAM]"))
    assert isinstance(error, AccordError)
    assert "A breakdown has at most 3 dimensions" in error.message


async def test_a_bucket_a_group_and_a_step_list_as_many_records_as_they_count(company: Database) -> None:
    document = """{
      kpis(requests: [{ key: MQLS, grain: QUARTER, by: [CHANNEL] }, { key: DEALS_WON, grain: QUARTER }]) {
        n all: records { totalCount } series { n records(first: 0) { totalCount nodes { id } } }
        breakdown { n records { totalCount } }
      }
      funnel(by: [COUNTRY]) { stages { reached records { totalCount } }
        breakdown { stages { reached records(first: 1) { totalCount edges { node { id } } } } } }
    }"""
    found = await answered(company, document)
    for result in found["kpis"]:
        assert result["all"]["totalCount"] == result["n"] > 0
        for part in (*result["series"], *result["breakdown"]):
            assert part["records"]["totalCount"] == part["n"]
    for step in (*found["funnel"]["stages"], *(s for group in found["funnel"]["breakdown"] for s in group["stages"])):
        assert step["records"]["totalCount"] == step["reached"]


async def test_an_error_in_one_list_leaves_the_result_unaffected(company: Database) -> None:
    document = """{ kpi(key: MQLS) { n good: records(first: 1) { totalCount }
      bad: records(side: CONVERTED) { totalCount } worse: records(after: "?") { totalCount }
      worst: records(first: 501) { totalCount } both: records(first: 1, last: 1) { totalCount } } }"""
    result = await executed(company, document)
    assert result.data is not None
    kpi: dict[str, Any] = result.data["kpi"]
    assert kpi["good"]["totalCount"] == kpi["n"]
    assert [kpi[key] for key in ("bad", "worse", "worst", "both")] == [None] * 4
    causes = {(error.path or [])[-1]: error.original_error for error in result.errors or ()}
    codes = {key: cause.code for key, cause in causes.items() if isinstance(cause, AccordError)}
    wrong = dict.fromkeys(("bad", "worse", "both"), ErrorCode.BAD_INPUT)
    assert codes == wrong | {"worst": ErrorCode.TOO_LARGE}


async def test_records_take_no_statement_unless_they_are_selected(company: Database) -> None:
    plain, total, nodes = LoggingDatabase(company), LoggingDatabase(company), LoggingDatabase(company)
    await answered(plain, "{ kpi(key: MQLS, by: [CHANNEL]) { n breakdown { n } } }")
    await answered(total, "{ kpi(key: MQLS, by: [CHANNEL]) { n breakdown { n } records { totalCount } } }")
    await answered(nodes, "{ kpi(key: MQLS, by: [CHANNEL]) { n breakdown { n } records { nodes { id } } } }")
    assert len(total.statements) == len(plain.statements) + 1
    assert len(nodes.statements) == len(plain.statements) + 2


async def test_too_many_lists_at_once_are_rejected(company: Database) -> None:
    document = "{ kpi(key: MQLS, grain: DAY) { series { records { totalCount } } } }"
    error = await refused(company, document)
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.TOO_LARGE
    assert str(MAX_LISTS) in error.message


async def test_a_fragment_that_is_merged_with_other_fields_in_one_place_is_read_for_every_place(
    company: Database,
) -> None:
    document = """{ kpi(key: MQLS, grain: YEAR, by: [CHANNEL]) {
      breakdown { series { ...Bucketed } }
      series { ...Bucketed records(first: 3) { nodes { ... on Contact { email } } } }
    } } fragment Bucketed on KpiBucket { records(first: 3) { nodes { id } } }"""
    kpi = (await answered(company, document))["kpi"]
    assert {
        len(node) for group in kpi["breakdown"] for part in group["series"] for node in part["records"]["nodes"]
    } == {1}
    assert {tuple(node) for part in kpi["series"] for node in part["records"]["nodes"]} == {("id", "email")}


PRESSED = 'key: OVER_PRESSURE_RATE, period: { named: "2026" }'


async def test_the_people_over_the_contact_policy_are_sorted_by_their_touches_page_by_page(company: Database) -> None:
    document = """query ($after: String, $order: [CountedRecordOrder!]) { kpi(%s) { numerator
      records(side: CONVERTED, first: 3, after: $after, orderBy: $order) { pageInfo { hasNextPage endCursor } edges {
        cursor contactPressure { touches atMost within firstTouchAt lastTouchAt } node { id } } } } }"""
    order = [{"contactPressure": {"touches": "DESC"}}, {"contactPressure": {"lastTouchAt": "ASC"}}]
    edges: list[dict[str, Any]] = []
    kpi: dict[str, Any] = {}
    after, has_more = None, True
    while has_more:
        kpi = (await answered(company, document % PRESSED, after=after, order=order))["kpi"]
        edges += kpi["records"]["edges"]
        after, has_more = kpi["records"]["pageInfo"]["endCursor"], kpi["records"]["pageInfo"]["hasNextPage"]
    assert len(edges) == int(kpi["numerator"]) > 3
    pressures = [edge["contactPressure"] for edge in edges]
    policy = (await answered(company, "{ accord { contactPolicy { atMost within } } }"))["accord"]
    assert {(pressure["atMost"], pressure["within"]) for pressure in pressures} == {
        tuple(policy["contactPolicy"].values())
    }
    assert all(pressure["touches"] > pressure["atMost"] for pressure in pressures)
    assert pressures == sorted(pressures, key=lambda shown: (-shown["touches"], shown["lastTouchAt"]))
    assert len({edge["node"]["id"] for edge in edges}) == len(edges)
    error = (await executed(company, document % PRESSED, after=after, order=[])).errors
    assert error is not None
    assert isinstance(error[0].original_error, AccordError)
    assert error[0].original_error.code is ErrorCode.BAD_INPUT


async def test_a_record_has_a_contact_pressure_only_if_the_person_was_over_the_policy(company: Database) -> None:
    document = """{ kpi(%s, by: [CHANNEL], grain: QUARTER) { n numerator
      records(first: 500) { edges { contactPressure { touches } } }
      breakdown { numerator records(first: 500) { edges { ...Pressed } } }
      series { numerator records(first: 500) { edges { pressed: contactPressure { touches } } } }
    } } fragment Pressed on CountedRecordEdge { contactPressure { touches } }"""
    kpi = (await answered(company, document % PRESSED))["kpi"]
    for figure in (kpi, *kpi["breakdown"], *kpi["series"]):
        pressed = [edge for edge in figure["records"]["edges"] if next(iter(edge.values())) is not None]
        assert len(pressed) == int(figure["numerator"] or 0)
    assert kpi["n"] > int(kpi["numerator"])
    other = (await answered(company, "{ kpi(key: MQLS) { records { edges { contactPressure { touches } } } } }"))["kpi"]
    assert {edge["contactPressure"] for edge in other["records"]["edges"]} == {None}
    rejected = await executed(
        company, "{ kpi(key: MQLS) { records(orderBy: { contactPressure: { touches: DESC } }) { totalCount } } }"
    )
    assert rejected.errors is not None
    assert isinstance(rejected.errors[0].original_error, AccordError)
    assert rejected.errors[0].original_error.code is ErrorCode.BAD_INPUT


async def test_records_can_be_sorted_by_the_latest_instant(company: Database) -> None:
    document = """{ kpi(key: DEALS_WON) { first: records { nodes { id } edges { at } }
      latest: records(orderBy: [{ at: DESC }], first: 500) { nodes { id } } } }"""
    kpi = (await answered(company, document.replace("records {", "records(first: 500) {")))["kpi"]
    assert kpi["latest"]["nodes"] == kpi["first"]["nodes"][::-1]
    assert len(kpi["latest"]["nodes"]) > 3


async def test_the_contact_pressure_of_records_takes_no_further_statement(company: Database) -> None:
    plain, pressed = LoggingDatabase(company), LoggingDatabase(company)
    document = "{ kpi(key: OVER_PRESSURE_RATE) { records { edges { at } } } }"
    await answered(plain, document)
    await answered(pressed, document.replace("at }", "at contactPressure { touches } }"))
    assert len(pressed.statements) == len(plain.statements)
    assert any("rolling" in str(statement) for statement in pressed.statements)
    assert not any("rolling" in str(statement) for statement in plain.statements)


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_records_sorted_by_what_they_give_add_up_to_the_number(direction: str, company: Database) -> None:
    document = """query ($after: String) { kpi(key: REVENUE_WON) { value apart { n }
      records(first: 4, after: $after, orderBy: [{ value: %s }]) { totalCount edges { value valueFloat }
        pageInfo { hasNextPage endCursor } } } }"""
    seen: list[dict[str, Any]] = []
    after = None
    while True:
        kpi = (await answered(company, document % direction, after=after))["kpi"]
        seen += kpi["records"]["edges"]
        after = kpi["records"]["pageInfo"]["endCursor"]
        if not kpi["records"]["pageInfo"]["hasNextPage"]:
            break
    given = [edge["valueFloat"] for edge in seen if edge["value"] is not None]
    assert len(seen) == kpi["records"]["totalCount"] > 8
    assert len(seen) - len(given) == sum(apart["n"] for apart in kpi["apart"])
    assert given == sorted(given, reverse=direction == "DESC")
    assert sum(Decimal(edge["value"]) for edge in seen if edge["value"] is not None) == Decimal(kpi["value"])


async def test_a_cursor_of_values_must_hold_a_decimal(company: Database) -> None:
    document = """query ($after: String) { kpi(key: REVENUE_WON) {
      records(after: $after, orderBy: [{ value: ASC }]) { totalCount } } }"""
    id_, at = "00000000-0000-0000-0000-000000000001", "2026-01-01T00:00:00+00:00"
    for value in (1, "NaN", "one", True):
        cursor = base64.b64encode(json.dumps(["value ASC", [value], at, id_, ""]).encode()).decode()
        error = await refused(company, document, after=cursor)
        assert "is not a cursor" in str(error)


async def test_a_number_and_the_funnel_say_whom_they_leave_out(company: Database) -> None:
    counts = "excluded { count reasons { reason count } }"
    document = f"""{{ kpi(key: STAGE_VOLUME, where: {{ stage: {{ eq: "suspect" }} }}) {{ n {counts} }}
      funnel {{ stages {{ reached }} {counts} }}
      contacts {{ totalCount }} counted: contacts(where: {{ isCounted: {{ eq: true }} }}) {{ totalCount }} }}"""
    found = await answered(company, document)
    assert found["kpi"]["n"] == found["funnel"]["stages"][0]["reached"] == found["counted"]["totalCount"]
    assert found["kpi"]["excluded"] == found["funnel"]["excluded"]
    reasons = {part["reason"]: part["count"] for part in found["kpi"]["excluded"]["reasons"]}
    assert found["kpi"]["excluded"]["count"] == sum(reasons.values()) > 0
    listed = found["kpi"]["n"] + sum(reasons.get(reason, 0) for reason in ("TEST", "INTERNAL", "NEGATIVE"))
    assert listed == found["contacts"]["totalCount"]
