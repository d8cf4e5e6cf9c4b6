"""Files of any size and in any state: bounded memory, clear words, and never half of an import."""

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

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.identity.new_ids import fresh_ids
from api.importers.csv_rows import NoRow, read_csv
from api.importers.rejects_file import Rejects
from api.importers.run_import import run_import
from api.importers.source_file import Source, find_source
from api.importers.text_lines import LONGEST_LINE
from schema.tables import METADATA
from tests.importers.conftest import DEALS, LEADS, SIX_LEADS, Write, rows

BAD_ROW = ("zoe", "soon", "p", "email")


def found(folder: Path, content: bytes) -> Source:
    (folder / "people.csv").write_bytes(content)
    return find_source(folder, "people.csv", ("id", "name"))


def told(source: Source) -> tuple[list[list[str]], list[tuple[int, str]]]:
    """The rows of a file, and where and why a line is none."""
    good, bad = [], []
    for line, row in read_csv(source):
        if isinstance(row, NoRow):
            bad.append((line, row.reason))
        else:
            good.append(row)
    return good, bad


def test_a_line_of_any_length_costs_one_row_and_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    with path.open("wb") as file:
        file.write(b"id,name\n" + b"1,Ana\n" * 1000 + b"2,")
        file.seek(100 << 20, os.SEEK_CUR)  # a hole: it reads as NULs and takes no room on the disk
        file.write(b"\n3,Bob\n")
    tracemalloc.start()
    source = find_source(tmp_path, "people.csv", ("id", "name"))
    good, bad = told(source)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(good), good[-1], source.lines) == (1001, ["3", "Bob"], 1003)
    assert [line for line, _ in bad] == [1002]
    assert f"longer than {LONGEST_LINE:,} characters" in bad[0][1]
    assert most < 32 << 20


def test_a_file_of_one_endless_line_is_no_csv_file(tmp_path: Path) -> None:
    with pytest.raises(AccordError, match=r"people\.csv is no CSV file: its first line is no header") as refused:
        found(tmp_path, b"x" * (LONGEST_LINE + 1))
    assert refused.value.code == ErrorCode.BAD_FILE


def test_a_quote_that_is_never_closed_costs_its_line_and_not_the_file(tmp_path: Path) -> None:
    many = [[str(number), "Bob"] for number in range(3, 20_000)]
    content = 'id,name\n1,Ana\n2,"Ann\n' + "".join(f"{','.join(row)}\n" for row in many)
    good, bad = told(found(tmp_path, content.encode()))
    assert good == [["1", "Ana"], *many]
    ((line, reason),) = bad
    assert (line, "a quote opens on it that is never closed" in reason) == (3, True)


def test_a_quote_that_another_row_closes_costs_its_line_only(tmp_path: Path) -> None:
    good, bad = told(found(tmp_path, b'id,name\n1,"Ana\n2,Bob\n3,"Cy"\n4,"two\nlines"\n5,"Di" x\n6,Eve\n'))
    assert good == [["2", "Bob"], ["3", "Cy"], ["4", "two\nlines"], ["6", "Eve"]]
    assert [line for line, _ in bad] == [2, 7]


def test_a_cell_longer_than_any_may_be_is_said_so(tmp_path: Path) -> None:
    good, bad = told(found(tmp_path, b"id,name\n1," + b"x" * 140_000 + b"\n2,Bob\n"))
    assert good == [["2", "Bob"]]
    assert bad == [(2, "the line is no CSV: a cell of it is longer than 131,072 characters")]


def test_files_put_together_show_by_the_mark_and_the_header_in_the_middle(tmp_path: Path) -> None:
    one = "\ufeffid,name\n1,Ana\n".encode()
    good, bad = told(found(tmp_path, one + one + b"\xef\xbb\xbf2,Bob\nid,name\n3,Cy\n"))
    assert good == [["1", "Ana"], ["1", "Ana"], ["3", "Cy"]]
    assert [line for line, _ in bad] == [3, 5, 6]
    assert [word in reason for (_, reason), word in zip(bad, ("mark", "mark", "header"), strict=True)] == [True] * 3
    assert told(found(tmp_path, b"\xef\xbb\xbf" + one))[0] == [["1", "Ana"]]


def test_a_column_twice_is_refused_only_if_it_is_needed(tmp_path: Path) -> None:
    assert told(found(tmp_path, b"id,name,note,note\n1,Ana,a,b\n"))[0] == [["1", "Ana", "a", "b"]]
    with pytest.raises(AccordError, match="has the column name more than once"):
        found(tmp_path, b"id,name,name\n1,Ana,b\n")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: path.write_bytes(b"id,name\n1,Another\n"), "changed while it was read"),
        (lambda path: path.rename(path.with_name("gone")) and None, "cannot be read: No such file"),
        (lambda path: path.write_bytes(path.read_bytes() + b"9,Late\n"), "changed while it was read"),
    ],
)
def test_a_file_that_is_another_than_was_found_is_refused(
    tmp_path: Path, change: Callable[[Path], object], said: str
) -> None:
    source = found(tmp_path, b"id,name\n1,Ana\n")
    change(source.path)
    with pytest.raises(AccordError, match=said):
        told(source)


async def test_a_file_that_changes_while_it_is_read_leaves_nothing(database: Database, write: Write) -> None:
    leads = [(f"lead{number}", "2018-02-01", "page1", "social") for number in range(3000)]
    folder = write(leads=leads, deals=())

    def grow(step: str, done: int, _total: int) -> None:
        if step == LEADS and done:
            with (folder / LEADS).open("a") as file:
                file.write("late,2018-02-01,page1,social\n")

    with pytest.raises(AccordError, match="changed while it was read; nothing of it was kept"):
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


async def test_every_tenth_row_bad_keeps_the_others_and_tells_each(
    database: Database, write: Write, tmp_path: Path
) -> None:
    leads = [(f"lead{each}", "soon" if each % 10 == 0 else "2018-02-01", "p", "social") for each in range(2000)]
    report = await run_import(database, "olist", write(leads=leads, deals=()), rejects_folder=tmp_path)
    assert report.rejects is not None
    with report.rejects.open(newline="") as file:
        assert [row[1] for row in csv.reader(file)][1:] == [str(each + 2) for each in range(0, 2000, 10)]
    assert await rows(database, "select count(*) from contact") == [(1800,)]
    assert report.files[0].is_mostly_refused is False


async def test_a_file_of_which_most_rows_are_refused_is_told_apart(
    database: Database, write: Write, tmp_path: Path
) -> None:
    report = await run_import(
        database, "olist", write(leads=(*SIX_LEADS[:1], BAD_ROW, BAD_ROW), deals=()), rejects_folder=tmp_path
    )
    assert [file.is_mostly_refused for file in report.files] == [True, False]


def test_a_full_disk_under_the_refused_rows_is_said(tmp_path: Path) -> None:
    (tmp_path / "rejects.csv.part").symlink_to("/dev/full")
    with Rejects(tmp_path / "rejects.csv") as rejects:
        rejects.add("people.csv", 2, "id", "x", "is wrong")
        with pytest.raises(AccordError, match=r"No space left on device\. Nothing was imported\. Make room there"):
            rejects.settle()
    assert list(tmp_path.iterdir()) == []


async def test_refused_rows_that_do_not_fit_on_the_disk_leave_nothing_imported(
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


async def test_a_full_disk_under_the_database_is_said_and_leaves_nothing(
    database: Database, module_dsn: str, write: Write
) -> None:
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


async def test_a_database_that_goes_away_is_said_and_keeps_nothing(
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

    with pytest.raises(AccordError, match=r"went away during the import .*Nothing was imported") as stopped:
        await run_import(database, "olist", write(), progress=stop)
    assert stopped.value.code == ErrorCode.DATABASE_UNREACHABLE
    assert await rows(database, "select count(*) from contact") == [(0,)]


async def test_a_large_first_import_leaves_what_a_small_one_does(
    database: Database, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    meaning = """
        select k.entity, k.external_id, c.lead_source, v.valid_from, v.valid_to, v.is_assumed, o.name, s.stage,
          s.entered_at
        from external_key k left join contact c on c.id = k.record_id left join contact_version v on v.contact_id = c.id
        left join company o on o.id = v.company_id left join stage_entry s on s.contact_id = c.id order by 1, 2, 4, 8"""
    catalogue = (
        "select pg_get_constraintdef(oid) from pg_constraint union all select indexdef from pg_indexes order by 1"
    )
    before = await rows(database, catalogue)
    await run_import(database, "olist", write())
    small = await rows(database, meaning)
    async with database.write() as session:
        await session.script(f"truncate {', '.join(table.name for table in METADATA.sorted_tables)} cascade")
    monkeypatch.setattr(first, "FEWEST_ROWS", 0)
    steps: list[str] = []
    await run_import(database, "olist", write(), progress=lambda step, _done, _total: steps.append(step))
    assert "indexes and links" in steps
    assert await rows(database, meaning) == small
    assert await rows(database, catalogue) == before
    assert (await run_import(database, "olist", write())).is_unchanged


def test_fresh_ids_rise_and_are_of_the_seventh_kind() -> None:
    made = list(itertools.islice(fresh_ids(), 10_000))
    assert made == sorted(set(made))
    assert {(each.version, each.variant) for each in made} == {(7, RFC_4122)}
    assert abs((made[0].int >> 80) - time.time() * 1000) < 60_000
