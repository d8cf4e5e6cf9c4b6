"""Requests that make no sense, over HTTP and by commands: an error with a code or null with a reason, but no number."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.db import Database
from api.errors import AccordError
from api.workflows.make_sample import make_sample
from schema.kpis.answer_vocab import WarningCode
from tests.web.test_screens import client_of

Q2, YEARS = 'period: {named: "2026-Q2"}', 'period: {range: {from: "1000-01-01", before: "8999-12-31"}}'
TO_DATE = "compareTo: {previousPeriod: TO_DATE}"


@dataclass(frozen=True, slots=True)
class Case:
    """A request with its command, if there is one, and the code of its error or of the reason for null."""

    request: str
    code: str
    words: str | None = None

    @property
    def is_null(self) -> bool:
        return self.code in (WarningCode.ZERO_DENOMINATOR, WarningCode.MISSING_INPUT, WarningCode.PERIOD_BEFORE_DATA)


def kpi(arguments: str, code: str, words: str | None = None) -> Case:
    """A request for a KPI."""
    fields = "value warnings { code } breakdown { value } comparison { value change warnings { code } }"
    return Case(f"{{ kpi(key: {arguments}) {{ {fields} }} }}", code, words and f"kpi {words}")


def funnel(arguments: str, code: str, words: str | None = None) -> Case:
    return Case(f"{{ funnel({arguments}) {{ stages {{ reached }} }} }}", code, words and f"funnel {words}")


def plan(arguments: str, code: str, words: str | None = None) -> Case:
    return Case(f"{{ revenuePlan({arguments}) {{ target }} }}", code, words and f"plan revenue {words}")


def variance(arguments: str, code: str, words: str | None = None) -> Case:
    return Case(f"{{ revenueVariance({arguments}) {{ change }} }}", code, words and f"plan variance {words}")


CASES = {
    "a dimension that the KPI lacks": kpi(
        "DEALS_WON, by: [REJECT_REASON]", "BAD_INPUT", "deals_won --by reject-reason"
    ),
    "a dimension of no KPI": kpi("DEALS_WON, by: [COLOUR]", "GRAPHQL_VALIDATION_FAILED", "deals_won --by colour"),
    "a filter that the KPI lacks": kpi(
        "DEALS_WON, where: {rejectReason: {isNull: true}}", "BAD_INPUT", "deals_won --where reject-reason="
    ),
    "a dimension of what has none": kpi("CAC, by: [OWNER]", "BAD_INPUT", "cac --by owner"),
    "three dimensions that explode": kpi(
        "INQUIRIES, by: [COMPANY, CAMPAIGN, OWNER]", "TOO_MANY_GROUPS", "inquiries --by company,campaign,owner"
    ),
    "four dimensions": kpi(
        "INQUIRIES, by: [OWNER, TEAM, CHANNEL, COUNTRY]", "BAD_INPUT", "inquiries --by owner,team,channel,country"
    ),
    "a dimension twice": kpi("INQUIRIES, by: [OWNER, OWNER]", "BAD_INPUT", "inquiries --by owner,owner"),
    "a grain finer than days": kpi("MQLS, grain: HOUR", "GRAPHQL_VALIDATION_FAILED", "mqls --grain hour"),
    "a period of no day": kpi(
        'MQLS, period: {range: {from: "2026-03-01", before: "2026-03-01"}}',
        "BAD_PERIOD",
        "mqls --period 2026-03-01..2026-03-01",
    ),
    "a period that ends before it starts": kpi(
        'MQLS, period: {range: {from: "2026-03-02", before: "2026-03-01"}}',
        "BAD_PERIOD",
        "mqls --period 2026-03-02..2026-03-01",
    ),
    "ten thousand years": kpi(
        'MQLS, period: {range: {from: "0001-01-01", before: "9999-12-31"}}',
        "BAD_PERIOD",
        "mqls --period 0001-01-01..9999-12-31",
    ),
    "millions of buckets": kpi(
        f"MQLS, grain: DAY, {YEARS}", "BAD_PERIOD", "mqls --grain day --period 1000-01-01..8999-12-31"
    ),
    "too many figures": kpi(
        'INQUIRIES, by: [COMPANY], top: 150, grain: DAY, period: {range: {from: "2022-01-01", before: "2026-06-30"}}',
        "TOO_MANY_GROUPS",
        "inquiries --by company --top 150 --grain day --period 2022-01-01..2026-06-30",
    ),
    "a day that no calendar has": kpi('MQLS, period: {named: "2026-02-30"}', "BAD_PERIOD", "mqls --period 2026-02-30"),
    "a base that a filter empties": kpi("WIN_RATE, where: {or: []}", "ZERO_DENOMINATOR"),
    "a filter for two values at once": kpi(
        "MQL_TO_CUSTOMER, where: {and: [{channel: {isNull: true}}, {channel: {isNull: false}}]}", "ZERO_DENOMINATOR"
    ),
    "a segment of other records": kpi(
        'MQLS, where: {deal: {name: {eq: "x"}}}', "BAD_INPUT", """mqls --where {"deal":{"name":{"eq":"x"}}}"""
    ),
    "a segment that compares amounts of several currencies": kpi(
        'REVENUE_WON, where: {deal: {amount: {gt: "1"}}}',
        "MIXED_CURRENCIES",
        """revenue_won --where {"deal":{"amount":{"gt":"1"}}}""",
    ),
    "a segment of nobody": kpi(
        "MQL_TO_CUSTOMER, where: {contact: {company: {employees: {gt: 2147483647}}}}", "ZERO_DENOMINATOR"
    ),
    "no sales cost": kpi(f"CAC, {Q2}", "MISSING_INPUT", "cac --period 2026-Q2"),
    "no churn": kpi(f"LTV_CAC, {Q2}", "MISSING_INPUT", "ltv_cac --period 2026-Q2"),
    "no target to cover": kpi(f"PIPELINE_COVERAGE, {Q2}", "MISSING_INPUT", "pipeline_coverage --period 2026-Q2"),
    "a grain finer than the costs": kpi('CAC, grain: DAY, period: {named: "2026-06"}', "MISSING_INPUT"),
    "no groups": kpi("MQLS, by: [OWNER], top: 0", "BAD_INPUT", "mqls --by owner --top 0"),
    "too many groups": kpi("MQLS, by: [OWNER], top: 200", "BAD_INPUT", "mqls --by owner --top 200"),
    "groups of nothing": kpi("MQLS, top: 3", "BAD_INPUT", "mqls --top 3"),
    "no start to compare with": kpi(f"MQLS, {TO_DATE}", "BAD_PERIOD", "mqls --compare-to previous-period"),
    "compared with before the calendar": kpi(
        f"MQLS, {YEARS}, {TO_DATE}", "BAD_PERIOD", "mqls --period 1000-01-01..8999-12-31 --compare-to previous-period"
    ),
    "compared with two things": kpi(
        f"MQLS, {Q2}, compareTo: {{target: true, accordVersion: 1}}", "GRAPHQL_VALIDATION_FAILED"
    ),
    "compared with no target": kpi(f"MQLS, {Q2}, compareTo: {{target: false}}", "BAD_INPUT"),
    "compared with an unknown version": kpi(
        f"MQLS, {Q2}, compareTo: {{accordVersion: 99}}",
        "UNKNOWN_VALUE",
        "mqls --period 2026-Q2 --compare-to accord-version:99",
    ),
    "compared with a version that it does not read": kpi(
        f"DEALS_WON, {Q2}, compareTo: {{accordVersion: 1}}",
        "BAD_INPUT",
        "deals_won --period 2026-Q2 --compare-to accord-version:1",
    ),
    "opening hours before there were any people": kpi(
        'OWNER_RESPONSE_TIME, switches: {asOf: "1970-01-01T00:00:00Z"}',
        "PERIOD_BEFORE_DATA",
    ),
    "a KPI of a newer release": kpi("QUANTUM_LEADS", "GRAPHQL_VALIDATION_FAILED", "quantum_leads"),
    "a switch that the KPI lacks": kpi(
        "WIN_RATE, switches: {cycleStart: SQL}", "BAD_INPUT", "win_rate --cycle-start sql"
    ),
    "a stage that the accord lacks": kpi(
        'STAGE_CONVERSION, stages: {from: "mql", to: "quantum"}',
        "UNKNOWN_STAGE",
        "stage_conversion --from mql --to quantum",
    ),
    "a funnel by what people lack": funnel("by: [PIPELINE]", "BAD_INPUT", "--by pipeline"),
    "a funnel that explodes": funnel("by: [COMPANY]", "TOO_MANY_GROUPS", "--by company"),
    "a funnel of no day": funnel(
        'period: {range: {from: "2026-03-01", before: "2026-03-01"}}', "BAD_PERIOD", "--period 2026-03-01..2026-03-01"
    ),
    "a funnel with a window": funnel("switches: {window: {none: true}}", "BAD_INPUT"),
    "a plan of nothing": plan(f'target: {{amount: "0"}}, {Q2}', "BAD_INPUT", "--period 2026-Q2 --amount 0"),
    "a plan without a target": plan(f"target: {{agreed: true}}, {Q2}", "BAD_INPUT", "--period 2026-Q2"),
    "a plan of two targets": plan(f'target: {{agreed: true, amount: "5"}}, {Q2}', "GRAPHQL_VALIDATION_FAILED"),
    "a plan of thousands of years": plan(
        f'target: {{amount: "5"}}, {YEARS}', "BAD_PERIOD", "--period 1000-01-01..8999-12-31 --amount 5"
    ),
    "a plan measured over no day": plan(
        f'target: {{amount: "5"}}, {Q2}, measuredOver: {{range: {{from: "2026-03-01", before: "2026-03-01"}}}}',
        "BAD_PERIOD",
        "--period 2026-Q2 --amount 5 --measured-over 2026-03-01..2026-03-01",
    ),
    "a variance of thousands of years": variance(YEARS, "BAD_PERIOD", "--period 1000-01-01..8999-12-31"),
    "a variance without a target": variance(
        f"{Q2}, compareTo: TARGET", "BAD_INPUT", "--period 2026-Q2 --compare-to target"
    ),
}
# What the contract refuses by its types, a command refuses by itself.
BY_COMMAND = {"GRAPHQL_VALIDATION_FAILED": "BAD_INPUT"}


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    async with module_database.write() as session:
        await make_sample(session, contacts=700, seed=4, until=date(2026, 6, 30))
    return module_database


@pytest.mark.parametrize("name", CASES)
async def test_over_http(company: Database, name: str) -> None:
    case = CASES[name]
    async with client_of(company) as client:
        found: dict[str, Any] = (await client.post("/graphql", json={"query": case.request})).json()
    if case.is_null:
        assert "errors" not in found
        answer = found["data"]["kpi"]
        assert answer["value"] is None
        assert case.code in [warning["code"] for warning in answer["warnings"]]
        return
    assert {error["extensions"]["code"] for error in found["errors"]} == {case.code}
    assert not any((found.get("data") or {}).values())


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.words])
def test_by_command(module_dsn: str, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("DATABASE_URL", module_dsn)
    case = CASES[name]
    result = CliRunner().invoke(app, (case.words or "").split())
    if case.is_null:
        assert result.exit_code == 0
        assert result.output.splitlines()[0].endswith(": -")
        return
    assert isinstance(result.exception, AccordError), result.output
    assert result.exception.code == BY_COMMAND.get(case.code, case.code)
    assert result.exception.remedy


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("a plan without a target", "Give an amount"),
        ("a variance without a target", "Compare with an earlier period"),
    ],
)
async def test_what_to_do_without_a_target(company: Database, name: str, remedy: str) -> None:
    async with client_of(company) as client:
        found = (await client.post("/graphql", json={"query": CASES[name].request})).json()
    assert found["errors"][0]["extensions"]["remedy"].startswith(f"{remedy}, or agree on a target")


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize(
    "words",
    [
        "show {}",
        "export {}",
        "diff 1 {}",
        "preview {}",
        "comments {}",
        "submit {}",
        "kpi mqls --reading pinned --accord-version {}",
        "kpi mqls --period 2026-Q2 --compare-to accord-version:{}",
        "funnel --reading pinned --accord-version {}",
    ],
)
def test_a_number_too_large_for_any_version_names_none(
    module_dsn: str, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", module_dsn)
    result = CliRunner().invoke(app, words.format(10**20).split())
    assert isinstance(result.exception, AccordError), result.exception
    assert f"There is no version {10**20} of the accord." in result.exception.message
