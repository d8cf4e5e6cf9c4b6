"""`make bench-import`: what it costs an import to write down what it changes.

An import writes events for whoever follows changes, one row of the audit, and what an undo needs. Every round imports
twice into fresh databases, with these writes and without them: first a company in the shape of HubSpot's tables, then
the same files, in which a tenth of the rows differ; or a folder of your own, once. Costs are the CPU seconds of this
process and of PostgreSQL; the table shows the medians of the rounds.
"""

import argparse
import asyncio
import csv
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import asyncpg
import psutil

from api.db import Database
from api.embedded.server import start
from api.importers.run_import import run_import
from api.revisions import migrate
from tests.support.databases import database_connection_url, run_statements

TEMPLATE, LOADED = "bench_template", "bench_loaded"
_CHANGED_SHARE = 10  # one row in so many differs in the second import
_WRITES = (
    "api.intake.apply.keep_former_values",
    "api.intake.upsert.remember_known",
    "api.intake.upsert.keep_new_rows",
    "api.intake.upsert.keep_replaced_rows",
    "api.importers.run_import.write_record_events",
    "api.importers.reporting.import_record.write_changes",
    "api.funnel.evaluate.write_differing_entries",
    "api.funnel.evaluate_some.write_entry_events",
)


@dataclass(frozen=True, slots=True)
class ImportCost:
    """CPU seconds of one import."""

    python: float
    postgresql: float

    @property
    def total(self) -> float:
        """Both."""
        return self.python + self.postgresql


def write_hubspot(folder: Path, people: int, *, edition: int) -> Path:
    """Write files in the shape of HubSpot's tables. In another edition, a tenth of the people and deals differ."""
    folder.mkdir()
    choices, day = random.Random(1), datetime(2024, 1, 1, tzinfo=UTC)

    def instant() -> str:
        return f"{day + timedelta(minutes=choices.randrange(700 * 24 * 60)):%Y-%m-%d %H:%M:%S}"

    def is_changed(number: int) -> bool:
        return edition > 0 and number % _CHANGED_SHARE == 0

    def write(name: str, columns: str, rows: Iterator[Sequence[object]]) -> None:
        with (folder / f"{name}_data.csv").open("w", newline="") as file:
            csv.writer(file).writerows([columns.split(), *rows])

    companies, deals, created = people // 3, people // 8, {person: instant() for person in range(people)}
    write(
        "company",
        "id property_name property_domain property_createdate property_country",
        ((it, f"Company {it}", f"company{it}.example", "2023-12-01 10:00:00", "Germany") for it in range(companies)),
    )
    write(
        "contact",
        "id property_email property_firstname property_lastname property_jobtitle property_createdate"
        " property_associatedcompanyid property_hubspotscore",
        (
            (
                *(it, f"person{it}@company{it % companies}.example", f"Ada{it}", f"Acme{it}"),
                *("Director" if is_changed(it) else "Clerk", created[it], it % companies, it % 90 + is_changed(it)),
            )
            for it in range(people)
        ),
    )
    write("deal_pipeline", "pipeline_id label", iter([("p", "Sales")]))
    stages = [("open", 0, False, False), ("meeting", 1, False, False), ("won", 2, True, True), ("lost", 3, False, True)]
    write(
        "deal_pipeline_stage",
        "stage_id label pipeline_id display_order closed_won is_closed probability",
        ((key, key.title(), "p", rank, is_won, is_closed, rank / 10) for key, rank, is_won, is_closed in stages),
    )
    write(
        "deal",
        "deal_id property_dealname deal_pipeline_id deal_pipeline_stage_id property_createdate property_closedate"
        " property_amount property_deal_currency_code",
        (
            (
                *(it, f"Deal {it}", "p", stages[it % 4][0], "2025-12-05 10:00:00", "2026-02-01 10:00:00"),
                *(1000 + it + is_changed(it), "EUR"),
            )
            for it in range(deals)
        ),
    )
    write("deal_company", "deal_id company_id", ((it, it * 8 % people % companies) for it in range(deals)))
    write("deal_contact", "deal_id contact_id", ((it, it * 8 % people) for it in range(deals)))
    write(
        "contact_form_submission",
        "contact_id conversion_id form_id timestamp title",
        ((it % people, it, it % 9, instant(), "Newsletter") for it in range(people * 3)),
    )
    write(
        "engagement_call",
        "engagement_id property_hs_timestamp property_hs_call_direction",
        ((it, instant(), "OUTBOUND") for it in range(people * 2)),
    )
    write(
        "engagement_contact",
        "contact_id engagement_id engagement_type",
        ((it % people, it, "CALL") for it in range(people * 2)),
    )
    return folder


@contextmanager
def without_changes() -> Iterator[None]:
    """Import as if nobody followed, audited or undid imports."""

    async def nothing(*_arguments: object, **_named: object) -> bool:
        return False

    with ExitStack() as stack:
        for write in _WRITES:
            stack.enter_context(patch(write, nothing))
        yield


async def import_costs(server: str, preset: str, folders: Sequence[Path]) -> list[ImportCost]:
    """Import folders one after another into a fresh database."""
    await run_statements(server, f"drop database if exists {LOADED}", f"create database {LOADED} template {TEMPLATE}")
    costs = []
    for folder in folders:
        await run_statements(server, "checkpoint")
        async with Database.open(database_connection_url(server, LOADED), size=2) as database:
            before, began = await _postgresql_seconds(server), time.process_time()
            report = await run_import(database, preset, folder, rejects_folder=folder, accept_loss=True)
            costs.append(ImportCost(time.process_time() - began, await _postgresql_seconds(server) - before))
        if report.is_rolled_back:
            raise SystemExit(f"The import of {folder} was not committed.")
    return costs


async def _postgresql_seconds(server: str) -> float:
    """The CPU seconds of all processes of PostgreSQL that run; none ends during an import, without autovacuum."""
    connection = await asyncpg.connect(server)
    try:
        postmaster = psutil.Process(connection.get_server_pid()).parent()
        if postmaster is None:
            raise RuntimeError("The processes of PostgreSQL are not visible.")
        processes = [it for it in postmaster.children() if it.pid != connection.get_server_pid()]
        return sum(sum(process.cpu_times()[:2]) for process in processes)
    finally:
        await connection.close()


async def compare(server: str, preset: str, folders: Mapping[str, Path], rounds: int) -> None:
    """Run all rounds, in turns, and print a line for each import."""
    paths = list(folders.values())
    titles = f"{'':<28}{'with':>9}{'without':>9}{'ratio':>7}{'Python':>9}{'without':>9}"
    print(f"{titles}{'PostgreSQL':>12}{'without':>9}")
    pairs: list[tuple[list[ImportCost], list[ImportCost]]] = []
    for number in range(rounds):
        if number % 2:
            with without_changes():
                plain = await import_costs(server, preset, paths)
            ours = await import_costs(server, preset, paths)
        else:
            ours = await import_costs(server, preset, paths)
            with without_changes():
                plain = await import_costs(server, preset, paths)
        pairs.append((ours, plain))
    for place, title in enumerate(folders):
        own, other = ([pair[side][place] for pair in pairs] for side in (0, 1))
        ratio = statistics.median(one.total / two.total for one, two in zip(own, other, strict=True))
        figures = [
            statistics.median(getattr(cost, kind) for cost in costs)
            for kind in ("total", "python", "postgresql")
            for costs in (own, other)
        ]
        print(
            f"{title:<28}{figures[0]:>9.2f}{figures[1]:>9.2f}{ratio:>7.2f}{figures[2]:>9.2f}{figures[3]:>9.2f}"
            f"{figures[4]:>12.2f}{figures[5]:>9.2f}",
            flush=True,
        )


async def measure(options: argparse.Namespace, scratch: Path) -> None:
    """Start PostgreSQL, and compare the imports that the command line describes."""
    if options.folder:
        folders = {f"{options.preset}, once": options.folder}
    else:
        folders = {
            f"{options.people:,} people": write_hubspot(scratch / "first", options.people, edition=0),
            "again, a tenth changed": write_hubspot(scratch / "second", options.people, edition=1),
        }
    running = start(scratch / "data")
    try:
        server = running.dsn("postgres")
        await run_statements(server, "alter system set autovacuum = off", "select pg_reload_conf()")
        await run_statements(server, f"create database {TEMPLATE}")
        await migrate(database_connection_url(server, TEMPLATE))
        await import_costs(server, "hubspot", [write_hubspot(scratch / "warm-up", 100, edition=0)])
        await compare(server, options.preset, folders, options.rounds)
    finally:
        running.close()


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="make bench-import", description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--preset", default="hubspot")
    parser.add_argument("--folder", type=Path, help="a folder of files to import once, by the preset")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="accord-bench-", ignore_cleanup_errors=True) as scratch:
        asyncio.run(measure(options, Path(scratch)))


if __name__ == "__main__":
    main()
