"""KPIs whose filter has the filter of a list: they count what the list, filtered alike, has of their records."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from api.access.principal import LOCAL_OPERATOR, Principal
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.contract import build_schema, read_filter
from api.graph.kpis.answer_ids import answer_id, parse_answer_id
from api.metrics.dimensions import RECORD_OF
from api.metrics.query import query_kpis
from api.metrics.request import FunnelRequest, KpiRequest, Where
from api.sql import Sql
from api.workflows.make_sample import make_sample
from schema.access.rights import Reach, Right
from schema.kpis import CATALOGUE
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.kinds import Subject
from schema.kpis.kpi import Kpi
from schema.vocab import Grain, RecordSide
from tests.metrics.test_drill_down import request_of, walk
from tests.support.graphql import answered, executed, refused

FILTERS: dict[Subject, tuple[dict[str, Any], ...]] = {
    Subject.PERSON: (
        {"company": {"employees": {"gt": 100}}},
        {"not": {"leadSource": {"isNull": True}}, "touchpoints": {"count": {"gte": 3}}},
        {"or": [{"stage": {"key": {"eq": "customer"}}}, {"dealRoles": {"some": {"deal": {"outcome": {"eq": "WON"}}}}}]},
    ),
    Subject.DEAL: (
        {"company": {"employees": {"gt": 100}}},
        {"amountConverted": {"gt": "20000"}, "openedAt": {"gt": "2025-06-01T00:00:00Z"}},
        {"contactRoles": {"some": {"contact": {"country": {"eq": "DE"}}}}},
    ),
}
LISTS = {"contact": "contacts", "deal": "deals"}


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    async with module_database.write() as session:
        await make_sample(session, contacts=400, seed=7, until=date(2026, 6, 30))
    return module_database


async def listed(company: Database, table: str, given: dict[str, Any], who: Principal = LOCAL_OPERATOR) -> set[str]:
    """The ids of the records of a list with a filter."""
    type_name = table.title()
    document = (
        f"query ($where: {type_name}Where) {{ it: {LISTS[table]}(where: $where, first: 500) {{ nodes {{ id }} }} }}"
    )
    found = await answered(company, document, who, where=given)
    return {node["id"] for node in found["it"]["nodes"]}


def filtered(table: str, given: dict[str, Any]) -> Where:
    return read_filter(json.dumps({table: given}))


@pytest.mark.parametrize("kpi", [kpi for kpi in CATALOGUE.values() if kpi.dimensions], ids=lambda kpi: kpi.key)
async def test_a_kpi_counts_the_records_that_the_list_has(company: Database, kpi: Kpi) -> None:
    table = RECORD_OF[kpi.subject]
    for given in FILTERS[kpi.subject]:
        ids = await listed(company, table, given)
        assert ids
        whole = request_of(kpi, grain=Grain.QUARTER)
        part = replace(whole, where=filtered(table, given))
        async with company.read() as session:
            every, some = await query_kpis(session, LOCAL_OPERATOR, [whole, part])
            assert not isinstance(every, AccordError)
            assert not isinstance(some, AccordError), some
            if every.drill_down is None or every.n == 0:
                continue
            before = await walk(session, every.drill_down, RecordSide.BASE, size=500)
            after = await walk(session, some.drill_down, RecordSide.BASE, size=500)
        assert after == [record for record in before if f"{table}_{record.id}" in ids]
        assert some.n == len(after)
        assert WarningCode.FILTERED_AS_OF_TODAY in {warning.code for warning in some.warnings}
        assert some.answered_from is every.answered_from


async def test_the_funnel_and_figures_in_parts_take_the_filter_within_any_combination(company: Database) -> None:
    given = FILTERS[Subject.PERSON][0]
    fields = "funnel(where: $where) { stages { reached entered records { totalCount } } warnings { code } }"
    document = f"query ($where: KpiWhere) {{ {fields} }}"
    funnels = []
    for where in ({"contact": given}, {"not": {"or": [{"contact": {"not": given}}, {"country": {"eq": "Atlantis"}}]}}):
        outcome = await executed(company, document, where=where)
        funnels.append(outcome.data if outcome.errors is None else str(outcome.errors[0].message))
    assert isinstance(funnels[0], dict)
    steps = funnels[0]["funnel"]["stages"]
    assert [step["reached"] for step in steps] == [step["records"]["totalCount"] for step in steps]
    assert {warning["code"] for warning in funnels[0]["funnel"]["warnings"]} >= {"FILTERED_AS_OF_TODAY"}
    everybody = await answered(company, "{ funnel { stages { reached } } }")
    others = await answered(company, document, LOCAL_OPERATOR, where={"not": {"contact": given}})
    for step, other, every in zip(steps, others["funnel"]["stages"], everybody["funnel"]["stages"], strict=True):
        assert step["reached"] + other["reached"] == every["reached"]


async def test_values_of_the_filter_may_be_variables(company: Database) -> None:
    document = (
        "query ($least: Int) { kpi(key: MQLS, where: {contact: {company: {employees: {gt: $least}}}}) {"
        " value excluded { count } id } }"
    )
    found = [(await answered(company, document, LOCAL_OPERATOR, least=least))["kpi"] for least in (100, 10**6)]
    literal = (await answered(company, document.replace("($least: Int)", "").replace("$least", "100")))["kpi"]
    assert found[0] == literal
    assert int(found[0]["value"]) > 0
    # Nobody is in it: a count is 0, and a rate is null with a reason.
    assert found[1]["value"] == "0"


async def test_a_filter_that_nobody_passes_gives_no_rate(company: Database) -> None:
    document = '{ kpi(key: MQL_TO_CUSTOMER, where: {contact: {email: {eq: "nobody"}}}) { value n warnings { code } } }'
    found = (await answered(company, document))["kpi"]
    assert (found["value"], found["n"]) == (None, 0)
    assert "ZERO_DENOMINATOR" in {warning["code"] for warning in found["warnings"]}


@pytest.mark.parametrize(
    ("field", "code", "text"),
    [
        ("kpi(key: CAC, where: {deal: {}}) { value }", ErrorCode.BAD_INPUT, "costs of the whole firm"),
        ("kpi(key: WIN_RATE, where: {contact: {}}) { value }", ErrorCode.BAD_INPUT, "contactRoles"),
        ("kpi(key: MQLS, where: {or: [{deal: {}}]}) { value }", ErrorCode.BAD_INPUT, "dealRoles"),
        ("funnel(where: {not: {deal: {}}}) { asOf }", ErrorCode.BAD_INPUT, "dealRoles"),
        ("kpi(key: MQLS, where: {contact: null}) { value }", ErrorCode.BAD_INPUT, "contact: null"),
        ("kpi(key: MQLS, where: {contact: {country: {eq: null}}}) { value }", ErrorCode.BAD_INPUT, "country"),
        ('kpi(key: MQLS, where: {contact: {mergedInto: {id: {eq: "x"}}}}) { value }', ErrorCode.BAD_INPUT, "x"),
        ("kpi(key: MQLS, where: {contact: {mergedInto: {}}}) { value }", ErrorCode.BAD_INPUT, "merged"),
        ('kpi(key: MQLS, where: {contact: {stage: {key: {eq: "mqql"}}}}) { value }', ErrorCode.UNKNOWN_VALUE, "mql"),
        ('kpi(key: WIN_RATE, where: {deal: {amount: {gt: "1"}}}) { value }', ErrorCode.MIXED_CURRENCIES, "currenc"),
    ],
)
async def test_a_filter_that_cannot_be_applied_is_refused(
    company: Database, field: str, code: ErrorCode, text: str
) -> None:
    error = await refused(company, f"{{ {field} }}")
    assert isinstance(error, AccordError)
    assert error.code is code
    assert text in f"{error.message} {error.remedy}"


async def test_a_filter_of_too_many_parts_is_refused(company: Database) -> None:
    document = "query ($where: KpiWhere) { kpi(key: MQLS, where: $where) { value } }"
    error = await refused(company, document, where={"contact": {"or": [{"id": {"isNull": False}}] * 2_000}})
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.TOO_LARGE


async def test_an_error_stands_at_the_request_that_it_concerns(company: Database) -> None:
    requests = "[{key: MQLS}, {key: WIN_RATE, where: {contact: {}}}]"
    outcome = await executed(company, f"{{ kpis(requests: {requests}) {{ value }} }}")
    assert outcome.errors is not None
    assert outcome.errors[0].path == ["kpis", 1]
    assert outcome.data is not None
    assert outcome.data["kpis"][0] is not None


async def test_personal_data_needs_its_right(company: Database) -> None:
    reader = Principal(Reach.ALL)
    document = '{ kpi(key: MQLS, where: {contact: {email: {startsWith: "a"}}}) { value } }'
    outcome = await executed(company, document, reader)
    assert outcome.errors is not None
    cause = outcome.errors[0].original_error
    assert isinstance(cause, AccordError)
    assert cause.code is ErrorCode.NOT_ALLOWED


async def test_a_restricted_principal_counts_what_it_may_list(company: Database) -> None:
    async with company.read() as session:
        most = Sql(
            "select owner_id from contact where owner_id is not null group by 1 order by count(*) desc, 1 limit 1"
        )
        who = Principal(Reach.OWN, await session.value(most), rights=frozenset(Right))
        given = FILTERS[Subject.PERSON][1]
        ids = await listed(company, "contact", given, who)
        requests = [KpiRequest("mqls"), KpiRequest("mqls", where=filtered("contact", given))]
        every, some = await query_kpis(session, who, requests)
        assert not isinstance(every, AccordError)
        assert not isinstance(some, AccordError), some
        before = await walk(session, every.drill_down, RecordSide.BASE, size=500)
        after = await walk(session, some.drill_down, RecordSide.BASE, size=500)
    assert 0 < len(after) < len(before)
    assert after == [record for record in before if f"contact_{record.id}" in ids]


async def test_known_facts_are_filtered_as_they_were_known(company: Database) -> None:
    document = (
        "query ($at: DateTime) { kpi(key: MQLS, where: {contact: {company: {employees: {gt: 100}}}},"
        " switches: {knownAt: $at}) { value knownAt warnings { code message } } }"
    )
    at = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    found = (await answered(company, document, LOCAL_OPERATOR, at=at))["kpi"]
    assert found["value"] is not None
    assert any("known at `knownAt`" in warning["message"] for warning in found["warnings"])


def test_the_id_of_an_answer_has_the_filter() -> None:
    schema = build_schema()._schema
    one = filtered("deal", {"closedAt": {"lt": "2026-01-01T01:00:00+01:00"}, "amount": {"gt": "1.50"}})
    same = filtered("deal", {"amount": {"gt": "1.50"}, "closedAt": {"lt": "2026-01-01T00:00:00Z"}})
    for subject in Subject:
        for given in FILTERS[subject]:
            request = KpiRequest("mqls", where=filtered(RECORD_OF[subject], given))
            read = parse_answer_id(answer_id(request), schema)
            assert read.where == request.where
    assert answer_id(FunnelRequest(where=one)) == answer_id(FunnelRequest(where=same))
    assert answer_id(FunnelRequest(where=one)) != answer_id(FunnelRequest())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ('{"contact": {"colour": {"eq": "red"}}}', "colour"),
        ('{"contact": {"company": {"employees": {"gt": "many"}}}}', "contact.company.employees.gt"),
        ('{"contact": null}', "contact: null"),
    ],
)
def test_a_text_that_is_no_filter_is_refused_with_its_place(text: str, found: str) -> None:
    with pytest.raises(AccordError) as error:
        read_filter(text)
    assert error.value.code is ErrorCode.BAD_INPUT
    assert found in error.value.message
