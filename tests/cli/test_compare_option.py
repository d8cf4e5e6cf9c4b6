"""`accord kpi --compare-to`: tables for people, JSON and CSV for programs, a message for invalid values."""

import csv
import io
import json
from decimal import Decimal

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from tests.golden.world import AFTER_ALL, accord, load
from tests.support.accords import replace_document

TARGETS = [
    {"kpi": "mqls", "period": "2026-Q1", "value": 14},
    {"kpi": "stage_volume", "period": "2026-01", "value": 1, "only": {"dimension": "STAGE", "value": "mql"}},
]


@pytest.fixture(scope="module")
async def dsn(module_dsn: str, module_database: Database) -> str:
    async with module_database.write() as session:
        await load(session)
        await replace_document(session, accord().model_dump(mode="json", exclude_none=True) | {"targets": TARGETS})
        await evaluate(session, as_of=AFTER_ALL)
    return module_dsn


@pytest.fixture(autouse=True)
def _world(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", dsn)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["kpi", *words, "--as-of", "2026-12-31T00:00:00Z"])


def printed(*words: str) -> str:
    result = run(*words)
    assert result.exit_code == 0, result.exception
    return result.output


def test_the_change_from_an_earlier_period_is_shown_with_both_values() -> None:
    shown = printed("mqls", "--period", "2026-02", "--compare-to", "previous-period")
    assert "Marketing qualified leads: 2" in shown
    assert "Compared with the previous period (2026-01-01 to 2026-01-31): 3, change -1 (-33.3 %)" in shown
    assert "28 days of the period are compared with 31 days" in shown


def test_groups_and_buckets_stand_in_a_table() -> None:
    words = ("mqls", "--period", "2026-02", "--compare-to", "previous-period")
    rows = [line.split() for line in printed(*words, "--by", "channel").splitlines()]
    assert ["Website", "2", "3", "-1", "(-33.3", "%)"] in rows
    rows = [line.split() for line in printed(*words, "--grain", "week").splitlines()]
    assert ["2026-W07", "2026-W03", "2", "1", "+1", "(+100.0", "%)"] in rows


def test_the_change_of_a_rate_is_in_points_with_its_causes() -> None:
    pair = ("stage_conversion", "--from", "mql", "--to", "sql", "--period", "2026-02")
    shown = printed(*pair, "--compare-to", "previous-period", "--by", "channel")
    assert "66.67 %, change -16.67 points (-25.0 %)" in shown
    assert "change of the value: volume +0.00 points, mix +0.00 points, rate -16.67 points" in shown
    # 1 instead of 2: one person less at a mean rate of 7/12, and 2.5 people at a rate that is 1/6 lower.
    assert "change of the numerator: volume -0.58, mix +0.00, rate -0.42" in shown


def test_json_and_csv_have_the_comparison() -> None:
    words = ("mqls", "--period", "2026-02", "--compare-to", "previous-period", "--by", "channel", "--grain", "week")
    found = json.loads(printed(*words, "--json"))
    assert found["comparison"]["comparedTo"] == "PREVIOUS_PERIOD"
    assert found["comparison"]["change"] == "-1"
    lines = list(csv.DictReader(io.StringIO(printed(*words, "--csv"))))
    [total] = [line for line in lines if line["row"] == "TOTAL"]
    assert (total["value"], total["compared_value"], total["change"]) == ("2", "3", "-1")
    groups = [line for line in lines if line["row"] == "GROUP"]
    assert sum(Decimal(line["compared_value"]) for line in groups) == 3
    assert sum(Decimal(line["value"] or 0) for line in groups) == 2
    plain = next(csv.reader(io.StringIO(printed("mqls", "--csv"))))
    assert "compared_value" not in plain


def test_targets_are_shown_with_what_is_attained() -> None:
    shown = printed("mqls", "--period", "2026-Q1", "--compare-to", "target")
    assert "Compared with the target: 14, change -7 (-50.0 %)" in shown
    assert "target 14: 50.00 % attained" in shown


def test_another_version_of_the_accord_is_named_by_its_number() -> None:
    shown = printed("mqls", "--period", "2026-Q1", "--compare-to", "accord-version:1")
    assert "Compared with version 1 of the accord: 7, change 0" in shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("yesterday", "--compare-to does not accept 'yesterday'"),
        ("previous-period:half", "--compare-to does not accept 'half'"),
        ("target:whole", "target takes no 'whole'"),
        ("accord-version", "'accord-version' names no version"),
        ("accord-version:x", "'accord-version:x' names no version"),
    ],
)
def test_an_invalid_value_is_refused_with_those_that_are_valid(text: str, message: str) -> None:
    error = run("mqls", "--period", "2026-Q1", "--compare-to", text).exception
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.BAD_INPUT
    assert message in error.message
