"""Made-up files of the shape of Olist's."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.db import Database
from api.sql import Sql

LEADS = "olist_marketing_qualified_leads_dataset.csv"
DEALS = "olist_closed_deals_dataset.csv"
LEAD_HEADER = ("mql_id", "first_contact_date", "landing_page_id", "origin")
DEAL_HEADER = ("mql_id", "seller_id", "sdr_id", "sr_id", "won_date", "business_segment", "declared_monthly_revenue")

Row = Sequence[str]
Write = Callable[..., Path]

SIX_LEADS = (
    ("anna", "2018-02-01", "page1", "social"),
    ("ben", "2017-10-20", "page2", "paid_search"),
    ("carl", "2018-03-22", "page1", "organic_search"),
    ("dora", "2018-01-22", "page3", "unknown"),
    ("emil", "2018-02-21", "page1", ""),
    ("fay", "2018-01-14", "", "other_publicities"),
)
# Dora signed two days before her form; Nora is SDR on one deal and sales representative on another.
THREE_DEALS = (
    ("anna", "seller1", "nora", "sam", "2018-02-26 19:58:54", "pet", "0.0"),
    ("carl", "seller2", "olga", "nora", "2018-05-08 20:17:59", "", "50000.0"),
    ("dora", "seller3", "nora", "sam", "2018-01-20 10:00:00", "toys", "0.0"),
)


def lines(header: Row, rows: Sequence[Row], delimiter: str = ",") -> str:
    return "".join(delimiter.join(row) + "\n" for row in (header, *rows))


async def rows(database: Database, statement: str) -> list[tuple[object, ...]]:
    """The rows of a query."""
    async with database.read() as session:
        return [tuple(row) for row in await session.rows(Sql(statement))]


def at(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write both files into a folder of their own, from rows or from a text."""

    def made(
        leads: Sequence[Row] | str = SIX_LEADS, deals: Sequence[Row] | str = THREE_DEALS, encoding: str = "utf-8"
    ) -> Path:
        folder = tmp_path / "olist"
        folder.mkdir(exist_ok=True)
        for name, header, rows in ((LEADS, LEAD_HEADER, leads), (DEALS, DEAL_HEADER, deals)):
            text = rows if isinstance(rows, str) else lines(header, rows)
            (folder / name).write_bytes(text.encode(encoding))
        return folder

    return made


@pytest.fixture(autouse=True)
def _rejects_files_go_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rejects files go to the working directory: keep them out of the checkout."""
    monkeypatch.chdir(tmp_path)
