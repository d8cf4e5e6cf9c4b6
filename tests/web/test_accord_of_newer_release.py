"""A stored accord whose targets name KPIs, dimensions, teams and periods of a newer release: whatever reads it answers,
and says what it left out.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.accord.in_force import accord_in_force
from api.cli import app
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.workflows.make_sample import make_sample
from tests.support.accords import add_version, replace_document
from tests.web.test_page_documents import DOCUMENTS, VARIABLES
from tests.web.test_screens import client_of

NEWER = (
    {"kpi": "quantum_leads", "period": "2026-Q2", "value": 7},
    {"kpi": "quantum_wait", "period": "2026-Q2", "duration": "2 days", "team": "SALES"},
    {"kpi": "quantum_share", "period": "2026", "value": 0.5, "only": {"dimension": "OWNER", "value": "Ada"}},
)
# Of KPIs that this release has.
NEWER_WORDS = (
    {"kpi": "revenue_won", "period": "2026-Q2", "value": 71, "only": {"dimension": "QUANTUM_STATE", "value": "Up"}},
    {"kpi": "mqls", "period": "2026-Q2", "value": 72, "only": {"dimension": "QUANTUM_STATE", "value": "Up"}},
    {"kpi": "mqls", "period": "2026-Q2", "value": 73, "team": "QUANTUM_TEAM"},
    {"kpi": "mqls", "period": "2026-QUANTUM", "value": 74},
)
KNOWN = {"kpi": "revenue_won", "period": "2026-Q2", "value": 500000}
Q2 = 'period: {named: "2026-Q2"}'
WARNED = "warnings { code message }"
READING = {
    "accord": "{ accord { targets { kpi period sentence value duration team only { dimension value } } warnings toml"
    " canonical } }",
    "draft": "{ accord(version: 2) { targets { kpi sentence } warnings } }",
    "versions": "{ accordVersions { nodes { number: version targets { kpi } warnings } } }",
    "diff": "{ accordDiff(a: 1, b: 2) { changes { title marks before after } } }",
    "preview": f"{{ accordPreview(version: 2, {Q2}) {{ kpis {{ key }} targets {{ clause kpi title goal }} }} }}",
    "catalogue": "{ kpiCatalogue { key accordClauses example } }",
    "target": f"{{ kpi(key: REVENUE_WON, {Q2}, compareTo: {{target: true}}) {{ value targets {{ value }} {WARNED}"
    f" comparison {{ value {WARNED} }} }} }}",
    "version": f"{{ kpi(key: MQLS, {Q2}, compareTo: {{accordVersion: 2}}) {{ value comparison {{ value }} }} }}",
    "kpis": "{ kpis(requests: [{key: CAC}, {key: MARKETING_SOURCED}, {key: PIPELINE_COVERAGE}]) { value "
    f"{WARNED} }} }}",
    "funnel": f"{{ funnel({Q2}) {{ stages {{ reached }} }} }}",
    "plan": f"{{ revenuePlan(target: {{agreed: true}}, {Q2}) {{ target steps {{ title needed }} {WARNED} }} }}",
    "variance": f"{{ revenueVariance({Q2}, compareTo: TARGET) {{ before after {WARNED} }} }}",
}

SAYING = ("accord", "draft", "versions", "target")
COMMANDS = (
    "show",
    "show 2",
    "export",
    "versions",
    "diff 1 2",
    "preview 2 --period 2026-Q2",
    "verify",
    "check",
    "kpi",
    "kpi revenue_won --period 2026-Q2 --compare-to target",
    "kpi mqls --period 2026-Q2 --compare-to accord-version:2",
    "funnel",
    "plan revenue --period 2026-Q2",
    "plan variance --period 2026-Q2 --compare-to target",
)
NAMING = ("show", "show 2", "export", "versions", "kpi revenue_won --period 2026-Q2 --compare-to target")


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    async with module_database.write() as session:
        await make_sample(session, contacts=200, seed=4, until=date(2026, 6, 30))
    async with module_database.write() as session:
        document = (await accord_in_force(session)).accord.model_dump(mode="json", exclude_none=True)
        await replace_document(session, document | {"targets": [KNOWN, *NEWER, *NEWER_WORDS]})
        await add_version(session, document | {"targets": [*NEWER_WORDS, *NEWER, {**KNOWN, "value": 600000}]}, number=2)
    return module_database


async def read(company: Database, document: str, **variables: object) -> dict[str, Any]:
    async with client_of(company) as client:
        response = await client.post("/graphql", json={"query": document, "variables": variables})
    found: dict[str, Any] = response.json()
    return found


@pytest.mark.parametrize("name", READING)
async def test_every_query_that_reads_it_answers(company: Database, name: str) -> None:
    found = await read(company, READING[name])
    assert "errors" not in found, found
    if name in SAYING:
        assert "quantum_leads, quantum_share, quantum_wait" in json.dumps(found)
        assert "the dimension QUANTUM_STATE, the period 2026-QUANTUM, the team QUANTUM_TEAM" in json.dumps(found)


async def test_known_targets_count_beside_unknown_ones(company: Database) -> None:
    found = (await read(company, READING["target"]))["data"]["kpi"]
    assert [target["value"] for target in found["targets"]] == ["500000"]
    assert [warning["code"] for warning in found["comparison"]["warnings"]] == ["UNKNOWN_KPI", "UNKNOWN_TARGET_WORD"]
    assert (await read(company, READING["plan"]))["data"]["revenuePlan"]["target"] == "500000"
    assert (await read(company, READING["variance"]))["data"]["revenueVariance"]["before"] == "500000.00"


async def test_a_target_with_a_newer_word_is_shown_and_not_read(company: Database) -> None:
    accord = (await read(company, READING["accord"]))["data"]["accord"]
    state, _, team, period = accord["targets"][-4:]
    assert (state["only"], state["sentence"]) == (
        {"dimension": None, "value": "Up"},
        "Revenue won in 2026-Q2: 71 EUR, with quantum state Up.",
    )
    assert (team["team"], team["sentence"]) == (None, "Marketing qualified leads in 2026-Q2: 73, by quantum team.")
    assert period["period"] == "2026-QUANTUM"
    document = f"{{ kpi(key: MQLS, {Q2}, compareTo: {{target: true}}) {{ value targets {{ value }} comparison"
    found = (await read(company, f"{document} {{ value {WARNED} }} }} }}"))["data"]["kpi"]
    assert (found["targets"], found["comparison"]["value"]) == ([], None)
    warnings = {warning["code"]: warning["message"] for warning in found["comparison"]["warnings"]}
    assert warnings.keys() == {"NO_TARGET", "UNKNOWN_KPI", "UNKNOWN_TARGET_WORD"}
    assert "it has some for: none" in warnings["NO_TARGET"]


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.stem in VARIABLES], ids=lambda path: path.stem)
async def test_the_page_reads_it(company: Database, path: Path) -> None:
    found = await read(company, path.read_text(encoding="utf-8"), **VARIABLES[path.stem])
    assert "errors" not in found, found


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_that_reads_it_runs(module_dsn: str, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setenv("DATABASE_URL", module_dsn)
    result = CliRunner().invoke(app, words.split())
    assert result.exit_code == 0, result.exception
    assert words not in NAMING or "quantum_leads" in result.output


@pytest.mark.usefixtures("company")
def test_it_is_not_proposed_again(module_dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", module_dsn)
    exported = tmp_path / "accord.toml"
    exported.write_text(CliRunner().invoke(app, ["export"]).output, encoding="utf-8")
    result = CliRunner().invoke(app, ["propose", str(exported)])
    assert isinstance(result.exception, AccordError)
    assert result.exception.code is ErrorCode.BAD_ACCORD
    for mistake in (
        "targets[1] (quantum_leads).kpi: 'quantum_leads' is not a KPI",
        "targets[4] (revenue_won).only.dimension: 'QUANTUM_STATE' is not one of LEAD_SOURCE, CHANNEL, CAMPAIGN,",
        "targets[6] (mqls).team: 'QUANTUM_TEAM' is not one of MARKETING, SALES, REVOPS",
        "targets[7] (mqls).period: '2026-QUANTUM' is not a year, quarter or month",
    ):
        assert mistake in result.exception.message
