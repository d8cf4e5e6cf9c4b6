"""`revenuePlan` and `revenueVariance` through the contract and the command line."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner

from api.accord.documents import read_accord
from api.cli import app
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.workflows.adopt_accord import adopt_accord
from tests.metrics import plan_worlds
from tests.metrics.plan_worlds import PlanWorld
from tests.metrics.test_revenue_plan import by_hand
from tests.support.graphql import answered, executed

NOW = '"2026-12-01T00:00:00Z"'
PLAN = f"""query ($target: RevenueTargetInput!) {{
  revenuePlan(target: $target, period: {{named: "2026-04"}}, measuredOver: {{named: "2026-Q1"}}, asOf: {NOW}) {{
    target targetFloat isAgreed currency isCanonical overrides period {{ from before }} warnings {{ code count }}
    accords {{ version }}
    steps {{
      title stage kpi team needed standing owed daysToWin leadsTo residual missing {{ code message }}
      rate {{ kpi value numerator denominator n period {{ from before }} warnings {{ code }} }}
      lag {{ kpi n distribution {{ median p90 }} }}
      buckets {{ period from before needed landing pace entered owed }}
    }}
  }}
}}"""
VARIANCE = f"""{{ revenueVariance(period: {{named: "2026-Q2"}}, compareTo: PREVIOUS, asOf: {NOW}) {{
  compareTo currency before after change parts {{ driver before after amount }} baseline {{ from before }}
}} }}"""


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        version = await adopt_accord(session, read_accord("standard"))
        await plan_worlds.prepare(session, version.id)
        await plan_worlds.load(session, _later(), version.id)
    return module_database


def _later() -> PlanWorld:
    """The world by hand, and a deal won in the second quarter."""
    world, won = by_hand(), datetime(2026, 5, 1, tzinfo=UTC)
    sold = plan_worlds.Sold(won, won, is_won=True, amount=Decimal("1500.50"))
    return PlanWorld(world.people, [*world.deals, sold])


async def plan(world: Database, **target: object) -> Any:  # noqa: ANN401 - a GraphQL response
    return (await answered(world, PLAN, target=target))["revenuePlan"]


async def test_a_plan_is_answered(world: Database) -> None:
    found = await plan(world, amount="30000")
    head = {key: found[key] for key in ("target", "targetFloat", "isAgreed", "currency")}
    assert head == {"target": "30000", "targetFloat": 30000, "isAgreed": False, "currency": "EUR"}
    steps = {step["stage"] or step["kpi"]: step for step in found["steps"]}
    assert list(steps)[-2:] == ["OPPORTUNITIES_CREATED", "DEALS_WON"]
    assert (steps["mql"]["needed"], steps["mql"]["team"], steps["mql"]["daysToWin"]) == (60, "MARKETING", 19)
    assert steps["mql"]["rate"]["kpi"] == "STAGE_CONVERSION"
    assert steps["mql"]["lag"]["distribution"]["median"] == "172800.0"
    assert [bucket["needed"] for bucket in steps["mql"]["buckets"]] == [38, 22]
    assert steps["DEALS_WON"]["buckets"][0]["period"] == "2026-04"
    assert steps["DEALS_WON"]["rate"]["value"] == "1000.00"


async def test_a_change_of_revenue_is_split(world: Database) -> None:
    found = (await answered(world, VARIANCE))["revenueVariance"]
    assert (found["before"], found["after"], found["change"]) == ("1000.00", "1500.50", "500.50")
    assert sum(Decimal(part["amount"]) for part in found["parts"]) == Decimal("500.50")
    assert [part["driver"] for part in found["parts"]] == ["VOLUME", "SPEED", "RATE", "SIZE", "ADJUSTMENT"]


async def test_errors_are_coded(world: Database) -> None:
    for document, variables, code in (
        (PLAN, {"target": {"agreed": True}}, ErrorCode.BAD_INPUT),
        (PLAN, {"target": {"agreed": False}}, ErrorCode.BAD_INPUT),
        (PLAN, {"target": {"amount": "-1"}}, ErrorCode.BAD_INPUT),
        (VARIANCE.replace("PREVIOUS", "TARGET"), {}, ErrorCode.BAD_INPUT),
        (VARIANCE.replace("2026-Q2", "sometime"), {}, ErrorCode.BAD_PERIOD),
    ):
        found = await executed(world, document, **variables)
        assert found.errors is not None
        [error] = found.errors
        assert isinstance(error.original_error, AccordError)
        assert error.original_error.code is code


@pytest.mark.usefixtures("world")
def test_the_command_line_shows_the_same(module_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", module_dsn)

    def printed(*words: str) -> str:
        result = CliRunner().invoke(app, ["plan", *words, "--as-of", "2026-12-01T00:00:00Z"])
        assert result.exit_code == 0, result.exception
        return result.output

    words = ("revenue", "--period", "2026-04", "--amount", "30000", "--measured-over", "2026-Q1")
    shown = printed(*words)
    assert "30,000.00 EUR from 2026-04-01 before 2026-05-01" in shown
    assert "Marketing qualified lead" in shown
    assert "Not as agreed: measuredOver=2026-01-01..2026-04-01" in shown
    document = json.loads(printed(*words, "--json"))
    assert [step["needed"] for step in document["steps"]] == [120, 120, 60, 60, 60, 60, 120, 30]
    assert document["steps"][2]["buckets"][0]["from"] == "2026-03-13"
    split = printed("variance", "--period", "2026-Q2")
    assert "1,500.50 EUR against 1,000.00 EUR (previous): 500.50 EUR" in split
    assert json.loads(printed("variance", "--period", "2026-Q2", "--json"))["change"] == "500.50"
    for wrong, message in (
        (("revenue", "--period", "2026-04", "--amount", "much"), "--amount does not accept 'much'"),
        (("variance", "--period", "2026-Q2", "--compare-to", "never"), "--compare-to does not accept 'never'"),
    ):
        refused = CliRunner().invoke(app, ["plan", *wrong])
        assert isinstance(refused.exception, AccordError)
        assert message in refused.exception.message
