"""Money in `accord kpi`: averages with their distribution, and amounts that no exchange rate converts."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from typer.testing import CliRunner

from api.accord.documents import read_accord
from api.cli import app
from api.db import Database
from api.workflows.adopt_accord import adopt_accord

BUYER = UUID(int=100)
NAMES = (("Ten seats", BUYER), (None, BUYER), ("One seat", None), (None, None))  # name and company of every deal


@pytest.fixture(autouse=True)
async def _world(module_dsn: str, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", module_dsn)
    closed = datetime(2026, 2, 1, tzinfo=UTC)
    money = [("10", "EUR"), ("20", "EUR"), ("60.30", "EUR"), ("500", "SEK")]
    async with database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        await session.copy("company", ["id", "name"], [(BUYER, "Acme")])
        columns = ["id", "name", "company_id", "outcome", "closed_at", "effective_at", "amount", "currency"]
        rows = [
            (UUID(int=number), name, company, "WON", closed, closed, Decimal(amount), currency)
            for number, ((amount, currency), (name, company)) in enumerate(zip(money, NAMES, strict=True), start=1)
        ]
        await session.copy("deal", columns, rows)


def printed(*words: str) -> str:
    result = CliRunner().invoke(app, ["kpi", *words, "--period", "2026"])
    assert result.exit_code == 0, result.exception
    return result.output


def test_an_average_is_shown_with_its_median_and_the_unconverted_amounts() -> None:
    shown = printed("avg_deal_size")
    assert "30.10 EUR on average (median 20.00, p75 40.15, p90 52.24; 3 deals), and apart 500.00 SEK" in shown
    assert "no rate to EUR" in shown


def test_a_series_has_a_column_for_unconverted_amounts() -> None:
    lines = [line.split() for line in printed("revenue_won", "--grain", "month").splitlines()]
    assert ["2026-02", "90.30", "EUR", "500.00", "SEK"] in [line[:5] for line in lines]


def test_csv_and_json_include_unconverted_amounts() -> None:
    [row] = csv.DictReader(io.StringIO(printed("avg_deal_size", "--csv")))
    assert (row["value"], row["median"], row["apart"]) == ("30.10", "20.00", "500.00 SEK")
    found = json.loads(printed("revenue_won", "--json"))
    assert found["apart"] == [{"currency": "SEK", "value": "500.00", "n": 1}]
    assert (found["currency"], found["value"], found["n"]) == ("EUR", "90.30", 4)


def test_a_deal_is_labelled_by_its_name_or_else_by_its_company() -> None:
    rows = csv.DictReader(io.StringIO(printed("deals_won", "--records", "--csv")))
    assert [row["name"] for row in rows] == ["Ten seats", "Acme", "One seat", ""]
