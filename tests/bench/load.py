"""Compares loading with PostgreSQL's COPY of the same rows into tables without indexes: `make bench-load`.

Every round loads a fresh database, then copies all its rows (records, their history and external keys; not the stage
entries, which are derived) into tables without index, constraint or trigger. Both are timed on one server in one run;
the table shows the medians of the rounds.
"""

import argparse
import asyncio
import random
import resource
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import asyncpg

from api.db import Database
from api.embedded.server import start
from api.importers.run_import import run_import
from api.revisions import migrate
from api.sample import generation
from api.sample.batches import GeneratedBatch, SampleRequest
from api.workflows.make_sample import load_sample, make_sample
from tests.support.databases import database_connection_url, run_statements

TEMPLATE, LOADED, PLAIN = "bench_template", "bench_loaded", "bench_plain"
_NOT_LOADED = (
    "stage_entry",
    "evaluation",
    "accord_version",
    "import_job",
    "import_file",
    "import_count",
    "import_reason",
    "source_gap",
    "alembic_version",
    "schema_compatibility",
)
_DAYS, _CHANNELS = (
    700,
    ("organic_search", "paid_search", "social", "email", "direct_traffic", "referral", "unknown", ""),
)


@dataclass(frozen=True, slots=True)
class Round:
    """One load, and the COPY of its rows."""

    rows: int
    load_seconds: float
    copy_seconds: float


Load = Callable[[Database], Awaitable[object]]


async def load_round(server: str, load: Load) -> Round:
    """Load a fresh database, then copy its rows into plain tables."""
    await run_statements(server, f"drop database if exists {LOADED}", f"create database {LOADED} template {TEMPLATE}")
    await run_statements(
        server, f"drop database if exists {PLAIN}", f"create database {PLAIN} template {TEMPLATE}", "checkpoint"
    )
    async with Database.open(database_connection_url(server, LOADED), size=2) as database:
        began = time.monotonic()
        await load(database)
        took = time.monotonic() - began
    rows, copied = await copy_rows(database_connection_url(server, LOADED), database_connection_url(server, PLAIN))
    return Round(rows, took, copied)


async def copy_rows(loaded: str, plain: str) -> tuple[int, float]:
    """Copy every loaded row into plain tables. Returns how many there were, and the seconds that COPY took."""
    here, there = await asyncpg.connect(loaded), await asyncpg.connect(plain)
    try:
        tables = await here.fetch(
            "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1"
        )
        rows, seconds = 0, 0.0
        await there.execute("create schema plain")
        for (table,) in tables:
            if table in _NOT_LOADED:
                continue
            with tempfile.TemporaryFile() as text:
                tag = await here.copy_from_table(table, output=text)
                text.seek(0)
                await there.execute(f"create table plain.{table} (like public.{table})")
                began = time.monotonic()
                await there.copy_to_table(table, schema_name="plain", source=text)
                seconds += time.monotonic() - began
            rows += int(tag.split()[1])
    finally:
        await here.close()
        await there.close()
    return rows, seconds


def write_olist(folder: Path, leads: int) -> Path:
    """Write files of Olist's shape and proportions: one lead in ten signed."""
    dice = random.Random(1)
    with (
        (folder / "olist_marketing_qualified_leads_dataset.csv").open("w") as forms,
        (folder / "olist_closed_deals_dataset.csv").open("w") as deals,
    ):
        forms.write("mql_id,first_contact_date,landing_page_id,origin\n")
        deals.write("mql_id,seller_id,sdr_id,sr_id,won_date,business_segment,declared_monthly_revenue\n")
        for number in range(leads):
            key, day = f"{dice.getrandbits(128):032x}", date(2017, 6, 1) + timedelta(dice.randrange(_DAYS))
            forms.write(f"{key},{day},{dice.randrange(500):032x},{dice.choice(_CHANNELS)}\n")
            if number % 10 == 0:
                people = f"{dice.randrange(40):032x},{dice.randrange(40, 80):032x}"
                won = day + timedelta(dice.randrange(1, 60))
                deals.write(f"{key},{dice.getrandbits(128):032x},{people},{won} 10:11:12,pet,0.0\n")
    return folder


async def import_rounds(server: str, rows: int, rounds: int) -> list[Round]:
    """Rounds of `accord import olist`, the evaluation included."""
    with tempfile.TemporaryDirectory(prefix="accord-bench-") as made:
        folder = write_olist(Path(made), rows)
        return [await load_round(server, lambda to: run_import(to, "olist", folder)) for _ in range(rounds)]


async def sample_rounds(server: str, people: int, rounds: int) -> dict[str, list[Round]]:
    """Rounds of `accord sample` (with generation and evaluation), and of loading a sample that was generated before."""
    order = SampleRequest(people, 1, date(2026, 3, 1))
    story = [made async for made in generation.generated_batches(order, generation.processes_for(people))]

    async def generate_and_load(database: Database) -> None:
        async with database.write() as session:
            await make_sample(session, contacts=people, seed=order.seed, until=order.until)

    async def load_generated(database: Database) -> None:
        async with database.write() as session:
            await load_sample(session, _again(story), people)

    found: dict[str, list[Round]] = {"sample": [], "sample, generated before": []}
    for _ in range(rounds):
        found["sample"].append(await load_round(server, generate_and_load))
        found["sample, generated before"].append(await load_round(server, load_generated))
    return found


async def _again(story: list[GeneratedBatch]) -> AsyncGenerator[GeneratedBatch, None]:
    for made in story:
        yield made


def table_line(title: str, rounds: list[Round]) -> str:
    """One line of the table: medians, and their ratio."""
    load = statistics.median(one.load_seconds for one in rounds)
    copy = statistics.median(one.copy_seconds for one in rounds)
    rows = rounds[0].rows
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = f"{rows:>10,} {load:>9.1f} {rows / load:>10,.0f} {copy:>9.2f} {rows / copy:>10,.0f} {copy / load:>8.3f}"
    return f"{title:<24} {figures} {peak:>8,.0f}"


async def main() -> None:
    """Run all rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=200_000, help="rows of the larger file of the import")
    parser.add_argument("--people", type=int, default=20_000, help="people of the sample")
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="accord-bench-", ignore_cleanup_errors=True) as folder:
        running = start(Path(folder))
        try:
            server = running.dsn("postgres")
            await run_statements(server, f"create database {TEMPLATE}")
            await migrate(database_connection_url(server, TEMPLATE))
            head = ("rows", "load s", "rows/s", "COPY s", "rows/s", "ratio", "RSS MB")
            widths = (10, 9, 10, 9, 10, 8, 8)
            print(f"{'':<24}", *(f"{word:>{width}}" for word, width in zip(head, widths, strict=True)))
            print(table_line("import olist", await import_rounds(server, wanted.leads, wanted.rounds)), flush=True)
            for title, rounds in (await sample_rounds(server, wanted.people, wanted.rounds)).items():
                print(table_line(title, rounds), flush=True)
        finally:
            running.close()


if __name__ == "__main__":
    asyncio.run(main())
