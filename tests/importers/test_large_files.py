"""Files of any size and in any state: bounded memory, precise errors, and never half of an import."""

import asyncio
import csv
import itertools
import os
import resource
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from uuid import RFC_4122

import asyncpg
import pytest

from api.db import Database, WriteSession
from api.errors import AccordError, ErrorCode
from api.identity.new_ids import generate_ids
from api.importers.csv_rows import UnreadableLine, read_csv
from api.importers.reporting.rejects_file import RejectsFile
from api.importers.run_import import run_import
from api.importers.source_file import SourceFile, detect_file
from api.importers.text_lines import LONGEST_LINE
from api.intake import apply, bulk_load
from api.intake.merge import MergeTable, merge_staged
from api.intake.staged import RejectedRow
from api.sql import Sql
from schema.tables import METADATA
from tests.importers.conftest import DEALS, LEADS, SIX_LEADS, Write, rows
from tests.support.accords import unguarded

BAD_ROW = ("zoe", "soon", "p", "email")


def found(folder: Path, content: bytes) -> SourceFile:
    (folder / "people.csv").write_bytes(content)
    return detect_file(folder, "people.csv", ("id", "name"))


def rows_and_errors(source: SourceFile) -> tuple[list[list[str]], list[tuple[int, str]]]:
    """The rows of a file, and the unreadable lines with their reasons."""
    good, bad = [], []
    for line, row in read_csv(source):
        if isinstance(row, UnreadableLine):
            bad.append((line, row.reason))
        else:
            good.append(row)
    return good, bad


def test_a_line_of_any_length_costs_one_row_and_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    with path.open("wb") as file:
        file.write(b"id,name\n" + b"1,Ana\n" * 1000 + b"2,")
        file.seek(100 << 20, os.SEEK_CUR)  # a hole: it reads as NULs and needs no room on the disk
        file.write(b"\n3,Bob\n")
    tracemalloc.start()
    source = detect_file(tmp_path, "people.csv", ("id", "name"))
    good, bad = rows_and_errors(source)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(good), good[-1], source.lines) == (1001, ["3", "Bob"], 1003)
    assert [line for line, _ in bad] == [1002]
    assert f"longer than {LONGEST_LINE:,} characters" in bad[0][1]
    assert most < 32 << 20


def test_a_file_of_one_endless_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AccordError, match=r"people\.csv is not a CSV file: its first line is not a header") as refused:
        found(tmp_path, b"x" * (LONGEST_LINE + 1))
    assert refused.value.code == ErrorCode.BAD_FILE


def test_a_quote_that_is_never_closed_costs_its_line_only(tmp_path: Path) -> None:
    many = [[str(number), "Bob"] for number in range(3, 20_000)]
    content = 'id,name\n1,Ana\n2,"Ann\n' + "".join(f"{','.join(row)}\n" for row in many)
    good, bad = rows_and_errors(found(tmp_path, content.encode()))
    assert good == [["1", "Ana"], *many]
    ((line, reason),) = bad
    assert (line, "it opens a quote that is never closed" in reason) == (3, True)


def test_a_quote_that_another_row_closes_costs_its_line_only(tmp_path: Path) -> None:
    good, bad = rows_and_errors(found(tmp_path, b'id,name\n1,"Ana\n2,Bob\n3,"Cy"\n4,"two\nlines"\n5,"Di" x\n6,Eve\n'))
    assert good == [["2", "Bob"], ["3", "Cy"], ["4", "two\nlines"], ["6", "Eve"]]
    assert [line for line, _ in bad] == [2, 7]


def test_a_cell_that_is_too_long_costs_its_line_only(tmp_path: Path) -> None:
    good, bad = rows_and_errors(found(tmp_path, b"id,name\n1," + b"x" * 140_000 + b"\n2,Bob\n"))
    assert good == [["2", "Bob"]]
    assert bad == [(2, "the line is not CSV: a cell is longer than 131,072 characters")]


def test_joined_files_are_noticed_by_the_mark_and_the_header_in_the_middle(tmp_path: Path) -> None:
    one = "\ufeffid,name\n1,Ana\n".encode()
    good, bad = rows_and_errors(found(tmp_path, one + one + b"\xef\xbb\xbf2,Bob\nid,name\n3,Cy\n"))
    assert good == [["1", "Ana"], ["1", "Ana"], ["3", "Cy"]]
    assert [line for line, _ in bad] == [3, 5, 6]
    assert [word in reason for (_, reason), word in zip(bad, ("mark", "mark", "header"), strict=True)] == [True] * 3
    assert rows_and_errors(found(tmp_path, b"\xef\xbb\xbf" + one))[0] == [["1", "Ana"]]


def test_a_column_twice_is_refused_only_if_it_is_needed(tmp_path: Path) -> None:
    assert rows_and_errors(found(tmp_path, b"id,name,note,note\n1,Ana,a,b\n"))[0] == [["1", "Ana", "a", "b"]]
    with pytest.raises(AccordError, match="has the column name more than once"):
        found(tmp_path, b"id,name,name\n1,Ana,b\n")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.write_bytes(b"id,name\n1,Another\n"), "changed while it was read"),
        (lambda path: path.rename(path.with_name("gone")) and None, "cannot be read: No such file"),
        (lambda path: path.write_bytes(path.read_bytes() + b"9,Late\n"), "changed while it was read"),
    ],
)
def test_a_file_that_changed_after_detection_is_refused(
    tmp_path: Path, change: Callable[[Path], object], message: str
) -> None:
    source = found(tmp_path, b"id,name\n1,Ana\n")
    change(source.path)
    with pytest.raises(AccordError, match=message):
        rows_and_errors(source)


async def test_a_file_that_changes_while_it_is_read_is_not_imported(database: Database, write: Write) -> None:
    leads = [(f"lead{number}", "2018-02-01", "page1", "social") for number in range(3000)]
    folder = write(leads=leads, deals=())

    def grow(step: str, done: int, _total: int) -> None:
        if step == LEADS and done:
            with (folder / LEADS).open("a") as file:
                file.write("late,2018-02-01,page1,social\n")

    with pytest.raises(AccordError, match=r"changed while it was read\. Nothing was imported"):
        await run_import(database, "olist", folder, progress=grow)
    assert await rows(database, "select count(*) from contact") == [(0,)]


async def test_a_file_that_vanishes_is_named(database: Database, write: Write) -> None:
    folder = write()

    def lose(step: str, _done: int, _total: int) -> None:
        if step == LEADS:
            (folder / DEALS).unlink(missing_ok=True)

    with pytest.raises(AccordError, match=f"{DEALS} cannot be read: No such file"):
        await run_import(database, "olist", folder, progress=lose)
    assert await rows(database, "select count(*) from contact") == [(0,)]


async def test_every_bad_row_is_reported_and_the_others_are_kept(
    database: Database, write: Write, tmp_path: Path
) -> None:
    leads = [(f"lead{number}", "2018-02-01" if number % 10 else "soon", "p", "social") for number in range(2000)]
    report = await run_import(database, "olist", write(leads=leads, deals=()), rejects_folder=tmp_path)
    assert report.rejects is not None
    with report.rejects.open(newline="") as file:
        assert [row[1] for row in csv.reader(file)][1:] == [str(number + 2) for number in range(0, 2000, 10)]
    assert await rows(database, "select count(*) from contact") == [(1800,)]
    assert report.files[0].is_mostly_rejected is False


async def test_a_file_of_which_most_rows_are_rejected_is_marked(
    database: Database, write: Write, tmp_path: Path
) -> None:
    report = await run_import(
        database, "olist", write(leads=(*SIX_LEADS[:1], BAD_ROW, BAD_ROW), deals=()), rejects_folder=tmp_path
    )
    assert [file.is_mostly_rejected for file in report.files] == [True, False]


def test_a_full_disk_under_the_rejects_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "rejects.csv.part").symlink_to("/dev/full")
    with RejectsFile(tmp_path / "rejects.csv") as rejects:
        rejects.add(RejectedRow("people.csv", 2, "id", "x", "is wrong"))
        with pytest.raises(AccordError, match=r"No space left on device\. Nothing was imported\. Make room there"):
            rejects.publish()
    assert list(tmp_path.iterdir()) == []


async def test_nothing_is_imported_if_the_rejects_file_does_not_fit_on_the_disk(
    database: Database, module_dsn: str, write: Write, tmp_path: Path
) -> None:
    leads = [*SIX_LEADS, *((f"bad{number}", "soon", "p", "email") for number in range(2000))]
    folder, data = write(leads=leads), tmp_path / "data"
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", "from api.cli import main; main()", "import", "olist", str(folder)],
        env={**os.environ, "DATABASE_URL": module_dsn, "ACCORD_DATA_DIR": str(data)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "cannot be written: File too large. Nothing was imported." in done.stderr
    assert await rows(database, "select count(*) from contact") == [(0,)]
    assert list(data.glob("rejected-*")) == []


async def test_a_full_disk_under_the_database_is_reported_and_nothing_is_imported(
    database: Database, module_dsn: str, write: Write
) -> None:
    async with database.write() as session:
        await session.script("truncate touchpoint")  # a file without pages: earlier tests may have left some
    found = await rows(
        database, "select format('/proc/%s/cwd/%s', pg_backend_pid(), pg_relation_filepath('touchpoint'))"
    )
    file = Path(str(found[0][0])).resolve()
    kept = file.with_suffix(".kept")
    file.rename(kept)
    file.symlink_to("/dev/full")
    try:
        async with Database.open(module_dsn, size=1) as fresh:
            with pytest.raises(
                AccordError, match=r"The disk of the database is full .*Nothing was imported"
            ) as stopped:
                await run_import(fresh, "olist", write())
    finally:
        file.unlink()
        kept.rename(file)
    assert stopped.value.code == ErrorCode.DISK_FULL
    assert await rows(database, "select count(*) from contact") == [(0,)]
    assert (await run_import(database, "olist", write())).records["contact"].created == len(SIX_LEADS)


async def test_a_lost_connection_is_reported_and_nothing_is_imported(
    database: Database, module_dsn: str, write: Write
) -> None:
    async def end_the_import() -> None:
        connection = await asyncpg.connect(module_dsn)
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
            " and datname = current_database() and query like 'COPY %'"
        )
        await connection.close()

    def stop(step: str, _done: int, _total: int) -> None:
        if step == LEADS:
            ending = threading.Thread(target=asyncio.run, args=(end_the_import(),))
            ending.start()
            ending.join()

    with pytest.raises(AccordError, match=r"lost during the import .*Nothing was imported") as stopped:
        await run_import(database, "olist", write(), progress=stop)
    assert stopped.value.code == ErrorCode.DATABASE_UNREACHABLE
    assert await rows(database, "select count(*) from contact") == [(0,)]


async def test_a_first_import_without_indexes_leaves_the_same_database(
    database: Database, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = """
        select k.entity, k.external_id, c.lead_source, v.valid_from, v.valid_to, v.is_assumed, o.name, s.stage,
          s.entered_at
        from external_key k left join contact c on c.id = k.record_id left join contact_version v on v.contact_id = c.id
        left join company o on o.id = v.company_id left join stage_entry s on s.contact_id = c.id order by 1, 2, 4, 8"""
    catalogue = (
        "select pg_get_constraintdef(oid) from pg_constraint union all select indexdef from pg_indexes order by 1"
    )
    before = await rows(database, catalogue)
    await run_import(database, "olist", write())
    small = await rows(database, query)
    async with database.write() as session, unguarded(session):
        await session.script(f"truncate {', '.join(table.name for table in METADATA.sorted_tables)} cascade")
    monkeypatch.setattr(bulk_load, "FEWEST_ROWS", 0)
    steps: list[str] = []
    await run_import(database, "olist", write(), progress=lambda step, _done, _total: steps.append(step))
    assert "indexes and links" in steps
    assert await rows(database, query) == small
    assert await rows(database, catalogue) == before
    assert (await run_import(database, "olist", write())).is_unchanged


async def test_a_first_import_looks_external_keys_up_by_their_index(
    database: Database, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[object] = []

    async def merge_and_look(session: WriteSession, merge: MergeTable) -> None:
        found.append(await session.value(Sql("select count(*) from pg_indexes where tablename = 'external_key'")))
        await merge_staged(session, merge)

    monkeypatch.setattr(bulk_load, "FEWEST_ROWS", 0)
    monkeypatch.setattr(apply, "merge_staged", merge_and_look)
    await run_import(database, "olist", write())
    assert found
    assert all(found)


def test_new_ids_rise_and_are_of_version_7() -> None:
    made = list(itertools.islice(generate_ids(), 10_000))
    assert made == sorted(set(made))
    assert {(one.version, one.variant) for one in made} == {(7, RFC_4122)}
    assert abs((made[0].int >> 80) - time.time() * 1000) < 60_000
