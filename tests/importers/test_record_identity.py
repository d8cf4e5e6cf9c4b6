"""Known records do not become others unnoticed, a source keeps its keys, and two sources can know one record."""

import asyncio
import os
import pty
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.identity.sources import SourceName, SourceOrigin, UnnamedSourceError
from api.importers.reporting.import_report import ImportReport
from api.importers.run_import import run_import
from api.intake.identity_changes import IdentityChange, IdentityChanges
from api.intake.likely_same import LikelySameExample
from api.intake.upsert import RecordCounts
from tests.importers.conftest import rows
from tests.support.commands import run_on

PEOPLE = """
title = "People"
{source}
accord = "standard"
[[files]]
name = "people.csv"
key = "id"
[[files.records]]
table = "contact"
fields = {{ first_name = "first", last_name = "last", email = "mail", phone = "phone" }}
"""
FIRMS = """
title = "Firms"
source = "{source}"
accord = "standard"
[[files]]
name = "firms.csv"
key = "id"
[[files.records]]
table = "company"
fields = {{ name = "firm", domain = "domain", industry = "industry" }}
[[files.records]]
table = "member"
key = "owner"
optional = true
fields = {{ name = "owner", email = "owner_mail" }}
"""
Person = tuple[str, ...]  # id, first name, last name, address, phone


def people(folder: Path, persons: Iterable[Person], name: str = "people.csv", head: str = "") -> None:
    lines = (",".join(person) for person in persons)
    (folder / name).write_text("\n".join((head or "id,first,last,mail,phone", *lines)) + "\n")


async def imported(
    database: Database,
    folder: Path,
    *,
    source: str = 'source = "crm"',
    file: str | None = "people.csv",
    stated: str | None = None,
    links: tuple[str, ...] = (),
    dry_run: bool = False,
    accept_changes: bool = False,
) -> ImportReport:
    preset = folder / "preset.toml"
    preset.write_text(PEOPLE.format(source=source))
    return await run_import(
        database,
        str(preset),
        folder,
        file=file,
        source=stated,
        links=links,
        dry_run=dry_run,
        accept_changes=accept_changes,
    )


async def counted(database: Database, table: str) -> object:
    return (await rows(database, f"select count(*) from {table}"))[0][0]


# ------------------------------------------------------------------------------------------- records that would change


def person(number: int, *, name: str = "Ann", mail: str = "ann") -> Person:
    return (f"k{number:03}", name, f"Miller{number}", f"{mail}{number}@a.example", "")


async def changed(
    database: Database,
    folder: Path,
    *,
    known: int,
    others: int,
    dry_run: bool = False,
    accept_changes: bool = False,
) -> ImportReport:
    people(folder, map(person, range(known)))
    await imported(database, folder)
    changes = [person(number, name="Bob", mail="bob") for number in range(others)]
    people(folder, [*changes, *(person(number) for number in range(others, known))])
    return await imported(database, folder, dry_run=dry_run, accept_changes=accept_changes)


async def test_20_changes_of_name_and_address_at_once_are_imported(database: Database, tmp_path: Path) -> None:
    report = await changed(database, tmp_path, known=30, others=20)
    assert (report.identity_changes, report.is_refused) == ((), False)
    assert report.records["contact"] == RecordCounts(0, 20, 10)


async def test_21_changes_of_name_and_address_at_once_refuse_the_import(database: Database, tmp_path: Path) -> None:
    report = await changed(database, tmp_path, known=30, others=21)
    (found,) = report.identity_changes
    assert (found.table, found.changed, found.matched, len(found.examples)) == ("contact", 21, 30, 10)
    assert found.examples[0] == IdentityChange("k000", "Ann Miller0, ann0@a.example", "Bob Miller0, bob0@a.example")
    assert report.is_refused
    assert await rows(database, "select count(*) from contact where first_name = 'Bob'") == [(0,)]
    assert await counted(database, "import_job") == 1


async def test_5_percent_of_the_matched_records_may_change(database: Database, tmp_path: Path) -> None:
    assert not (await changed(database, tmp_path, known=420, others=21)).is_refused


async def test_more_than_5_percent_of_the_matched_records_may_not_change(database: Database, tmp_path: Path) -> None:
    assert (await changed(database, tmp_path, known=419, others=21)).is_refused


async def test_changes_are_imported_once_accepted(database: Database, tmp_path: Path) -> None:
    report = await changed(database, tmp_path, known=30, others=21, accept_changes=True)
    assert (report.is_refused, report.identity_changes[0].changed) == (False, 21)
    assert await rows(database, "select count(*) from contact where first_name = 'Bob'") == [(21,)]


async def test_a_dry_run_shows_the_changes(database: Database, tmp_path: Path) -> None:
    report = await changed(database, tmp_path, known=30, others=21, dry_run=True)
    assert (report.is_refused, report.identity_changes[0].changed) == (True, 21)


@pytest.mark.parametrize(
    ("name", "mail"),
    [("Bob", "ann"), ("Ann", "bob"), ("ANN", "bob"), ("Bob", " Ann"), ("", "bob"), ("Bob", None)],
)
async def test_a_new_name_or_a_new_address_alone_is_no_other_person(
    database: Database, tmp_path: Path, name: str, mail: str | None
) -> None:
    last = "Miller" if name else ""
    people(tmp_path, ((str(number), "Ann", "Miller", f"ann{number}@a.example", "") for number in range(30)))
    await imported(database, tmp_path)
    addresses = ["" if mail is None else f"{mail}{number}@A.example" for number in range(30)]
    people(tmp_path, ((str(number), name, last, address, "") for number, address in enumerate(addresses)))
    report = await imported(database, tmp_path)
    assert (report.identity_changes, report.records["contact"].changed) == ((), 30)


@given(st.integers(0, 2000), st.integers(0, 2000))
def test_too_many_is_over_20_and_over_a_20th(changes: int, unchanged: int) -> None:
    found = IdentityChanges("contact", changes, changes + unchanged, ())
    assert found.are_too_many is (changes > 20 and changes / (changes + unchanged) > 0.05)


async def test_the_command_shows_ten_changes_and_ends_with_3(
    database: Database, module_dsn: str, tmp_path: Path
) -> None:
    await changed(database, tmp_path, known=30, others=21, dry_run=True)
    words = ("import", "csv", str(tmp_path / "people.csv"), "--preset", str(tmp_path / "preset.toml"))
    for options in ((), ("--dry-run",)):
        code, output = await run_on(module_dsn, *words, *options, data=tmp_path)
        assert code == 3
        assert "21 of 30 known contacts would change name and e-mail address at once" in output
        assert output.count(" -> ") == 10
        assert "k000: Ann Miller0, ann0@a.example -> Bob Miller0, bob0@a.example" in output
        assert "Nothing was imported" in output
        assert "Done" not in output
    code, output = await run_on(module_dsn, *words, "--accept-changes", data=tmp_path)
    assert (code, "Done" in output) == (0, True)
    assert await rows(database, "select count(*) from contact where first_name = 'Bob'") == [(21,)]


# -------------------------------------------------------------------------------------------------- names of sources

ADA: Person = ("1", "Ada", "Byron", "ada@a.example", "")
BOB: Person = ("2", "Bob", "Ross", "bob@b.example", "")


async def test_next_months_file_belongs_to_the_source_of_files_with_its_columns(
    database: Database, tmp_path: Path
) -> None:
    people(tmp_path, [ADA], "export-january.csv")
    first = await imported(database, tmp_path, source="", file="export-january.csv")
    assert first.source == SourceName("export_january", SourceOrigin.FILE)
    people(tmp_path, [ADA, BOB], "export-february.csv")
    second = await imported(database, tmp_path, source="", file="export-february.csv")
    assert second.source == SourceName("export_january", SourceOrigin.REMEMBERED)
    assert second.records["contact"] == RecordCounts(1, 0, 1)


async def test_the_order_of_the_columns_does_not_make_another_source(database: Database, tmp_path: Path) -> None:
    people(tmp_path, [ADA])
    await imported(database, tmp_path, source="", stated="shop")
    people(tmp_path, [("x", "", "1", "Ada", "Byron")], head="mail,phone,id,first,last")
    assert (await imported(database, tmp_path, source="")).source.name == "shop"


async def test_a_file_with_other_columns_names_its_source_or_is_refused(database: Database, tmp_path: Path) -> None:
    people(tmp_path, [ADA])
    await imported(database, tmp_path, source="", stated="shop")
    people(tmp_path, [(*BOB[:4], ",")], head="id,first,last,mail,phone,newsletter")
    with pytest.raises(UnnamedSourceError, match=r"no source had files with these columns") as refused:
        await imported(database, tmp_path, source="")
    assert refused.value.known == ("shop",)
    assert "--source NAME" in refused.value.remedy
    assert await counted(database, "contact") == 1
    assert (await imported(database, tmp_path, source="", stated="shop")).records["contact"].created == 1
    # Both shapes of file are known from now on.
    assert (await imported(database, tmp_path, source="")).source == SourceName("shop", SourceOrigin.REMEMBERED)


async def test_columns_of_two_sources_do_not_decide(database: Database, tmp_path: Path) -> None:
    people(tmp_path, [ADA])
    for source in ("shop", "fair"):
        await imported(database, tmp_path, source="", stated=source)
    with pytest.raises(UnnamedSourceError, match="several sources have such files: fair, shop"):
        await imported(database, tmp_path, source="")
    assert await counted(database, "contact") == 2


async def test_the_command_overrides_the_source_of_the_preset(database: Database, tmp_path: Path) -> None:
    people(tmp_path, [ADA])
    report = await imported(database, tmp_path, stated="fair")
    assert report.source == SourceName("fair", SourceOrigin.STATED)
    assert await rows(database, "select distinct source from external_key") == [("fair",)]
    assert await rows(database, "select source, columns from import_job") == [
        ("fair", {"people.csv": ["id", "first", "last", "mail", "phone"]})
    ]


async def test_on_a_terminal_the_first_source_is_asked_for(database: Database, module_dsn: str, tmp_path: Path) -> None:
    people(tmp_path, [ADA])
    (tmp_path / "p.toml").write_text(PEOPLE.format(source=""))
    words = ["import", "csv", str(tmp_path / "people.csv"), "--preset", str(tmp_path / "p.toml")]
    output = await asyncio.to_thread(on_a_terminal, module_dsn, words, tmp_path, "shop\n")
    assert "Which system are they from? Name it once, such as our_crm [people]: " in output
    assert await rows(database, "select distinct source from external_key") == [("shop",)]


def on_a_terminal(dsn: str, words: list[str], data: Path, answer: str) -> str:
    """Run the command on a terminal of its own, answer its question, and return all that it writes."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from api.cli import main; main()", *words]
    environment = {**os.environ, "DATABASE_URL": dsn, "ACCORD_DATA_DIR": str(data)}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        os.write(ours, answer.encode())
        written = b""
        while True:
            try:
                written += os.read(ours, 1024)
            except OSError:  # the other side is closed
                break
        assert process.wait(60) == 0
    os.close(ours)
    return written.decode()


async def test_a_source_is_a_name(database: Database, tmp_path: Path) -> None:
    people(tmp_path, [ADA])
    with pytest.raises(AccordError, match="'Our CRM' is not the name of a source") as refused:
        await imported(database, tmp_path, stated="Our CRM")
    assert refused.value.code == ErrorCode.BAD_INPUT


async def test_the_command_says_which_source_it_takes_and_refuses_without_one(
    database: Database, module_dsn: str, tmp_path: Path
) -> None:
    people(tmp_path, [ADA])
    preset = tmp_path / "p.toml"
    preset.write_text(PEOPLE.format(source=""))
    words = ("import", "csv", str(tmp_path / "people.csv"), "--preset", str(preset))
    _, output = await run_on(module_dsn, *words, data=tmp_path)
    assert "Source: people, named after the file" in output
    people(tmp_path, [ADA, BOB])
    _, output = await run_on(module_dsn, *words, data=tmp_path)
    assert "Source: people, of which files with these columns were imported before." in output
    people(tmp_path, [(*BOB, "")], head="id,first,last,mail,phone,more")
    code, output = await run_on(module_dsn, *words, data=tmp_path)
    assert code == 2
    assert "Nothing says which system people.csv is from" in output
    assert 'State it with --source NAME, or source = "NAME" in the preset' in output
    code, output = await run_on(module_dsn, *words, "--source", "people", data=tmp_path)
    assert (code, "Source:" in output) == (0, False)
    assert await rows(database, "select distinct source from external_key") == [("people",)]


# ------------------------------------------------------------------------------------- one record, known to two sources


async def firms(
    database: Database, folder: Path, source: str, lines: str, *, links: tuple[str, ...] = (), dry_run: bool = False
) -> ImportReport:
    (folder / "firms.toml").write_text(FIRMS.format(source=source))
    (folder / "firms.csv").write_text("id,firm,domain,industry,owner,owner_mail\n" + lines)
    return await run_import(database, str(folder / "firms.toml"), folder, links=links, dry_run=dry_run)


A_FIRMS = (
    "1,Acme,acme.example,Toys,sam,sam@us.example\n2,Post,gmail.com,,,\n3,Twin,twin.example,,,\n4,Two,twin.example,,,\n"
)
B_FIRMS = "A,ACME Inc,https://www.Acme.example/,,SH,Sam@us.example\nB,Mail,gmail.com,,,\nC,Twin,twin.example,,,\n"


async def test_records_that_another_source_seems_to_know_are_reported_and_made_new(
    database: Database, tmp_path: Path
) -> None:
    assert (await firms(database, tmp_path, "a", A_FIRMS)).likely_same == ()
    report = await firms(database, tmp_path, "b", B_FIRMS)
    companies, members = report.likely_same
    assert (companies.table, companies.found, companies.ambiguous, companies.is_linked) == ("company", 1, 1, False)
    assert companies.examples == (LikelySameExample("A", "acme.example", "Acme"),)
    assert (members.table, members.found, members.ambiguous) == ("member", 1, 0)
    assert report.records["company"].created == 3
    assert await counted(database, "member") == 2
    # Their keys are known now.
    assert (await firms(database, tmp_path, "b", B_FIRMS)).likely_same == ()


async def test_records_are_linked_by_domain_and_address_on_request(database: Database, tmp_path: Path) -> None:
    await firms(database, tmp_path, "a", A_FIRMS)
    report = await firms(database, tmp_path, "b", B_FIRMS, links=("company", "member"))
    assert [same.is_linked for same in report.likely_same] == [True, True]
    assert report.records["company"] == RecordCounts(2, 1, 0)
    assert await rows(
        database,
        "select k.source, k.external_id, c.name from external_key k join company c on c.id = k.record_id"
        " where c.domain like '%cme%' order by 1",
    ) == [("a", "1", "ACME Inc"), ("b", "A", "ACME Inc")]
    assert await counted(database, "member") == 1
    assert (await firms(database, tmp_path, "b", B_FIRMS)).is_unchanged


async def test_only_the_tables_named_are_linked(database: Database, tmp_path: Path) -> None:
    await firms(database, tmp_path, "a", A_FIRMS)
    report = await firms(database, tmp_path, "b", B_FIRMS, links=("member",))
    assert [(same.table, same.is_linked) for same in report.likely_same] == [("company", False), ("member", True)]
    assert (await counted(database, "company"), await counted(database, "member")) == (7, 1)


async def test_an_empty_cell_of_one_source_does_not_empty_what_another_gave(database: Database, tmp_path: Path) -> None:
    await firms(database, tmp_path, "a", A_FIRMS)
    await firms(database, tmp_path, "b", B_FIRMS, links=("company",))
    assert await rows(database, "select name, industry from company where name like 'ACME%'") == [("ACME Inc", "Toys")]
    # A record that only one source knows is emptied by it.
    await firms(database, tmp_path, "b", "D,Solo,solo.example,Toys,,\n")
    await firms(database, tmp_path, "b", "D,Solo,solo.example,,,\n")
    assert await rows(database, "select industry from company where name = 'Solo'") == [(None,)]


async def test_a_dry_run_offers_the_links_and_writes_none(database: Database, tmp_path: Path) -> None:
    await firms(database, tmp_path, "a", A_FIRMS)
    before = await rows(database, "select * from external_key order by 1, 2, 3")
    report = await firms(database, tmp_path, "b", B_FIRMS, links=("company",), dry_run=True)
    assert report.likely_same[0].found == 1
    assert await rows(database, "select * from external_key order by 1, 2, 3") == before


async def test_contacts_are_linked_by_address_but_not_by_a_shared_or_role_mailbox(
    database: Database, tmp_path: Path
) -> None:
    known = [
        ("1", "Ada", "Byron", "ada@gmail.com", "123"),
        ("2", "Eve", "", "info@e.example", ""),
        ("3", "Di", "", "di@d.example", ""),
        ("4", "Di", "Two", "di@d.example", ""),
        ("5", "Cy", "", "cy@c.example", ""),
        ("6", "Flo", "", "", ""),
    ]
    people(tmp_path, known)
    await imported(database, tmp_path, stated="a")
    theirs = [
        ("x1", "Ada", "King", " ADA@gmail.com", ""),
        ("x2", "Eva", "", "info@e.example", ""),
        ("x3", "Di", "", "di@d.example", ""),
        ("x5", "Cy", "", "cy@c.example", ""),
        ("x6", "Cy", "Two", "CY@c.example", ""),
        ("x7", "Flo", "", "", ""),
    ]
    people(tmp_path, theirs)
    report = await imported(database, tmp_path, stated="b", links=("contact",))
    (same,) = report.likely_same
    assert (same.found, same.ambiguous) == (1, 2)
    assert same.examples == (LikelySameExample("x1", "ada@gmail.com", "Ada Byron"),)
    assert report.records["contact"] == RecordCounts(5, 1, 0)
    assert await rows(database, "select last_name, phone from contact where last_name in ('King', 'Byron')") == [
        ("King", "123")
    ]


async def test_a_second_person_of_the_same_source_is_not_linked(database: Database, tmp_path: Path) -> None:
    people(tmp_path, [ADA])
    await imported(database, tmp_path, stated="a")
    people(tmp_path, [("9", "Zoe", "", "zoe@z.example", "")])
    await imported(database, tmp_path, stated="b")
    people(tmp_path, [("2", "Ada", "Twin", "ada@a.example", "")])
    report = await imported(database, tmp_path, stated="a", links=("contact",))
    assert (report.likely_same, report.records["contact"].created) == ((), 1)


async def test_deleted_and_merged_records_are_not_linked(database: Database, tmp_path: Path) -> None:
    people(tmp_path, [ADA, BOB])
    await imported(database, tmp_path, stated="a")
    async with database.write() as session:
        await session.script(
            "update contact set deleted_at = now() where first_name = 'Ada';"
            "update contact set merged_into_id = (select id from contact where first_name = 'Ada')"
            " where first_name = 'Bob'"
        )
    people(tmp_path, [("x", *ADA[1:]), ("y", *BOB[1:])])
    report = await imported(database, tmp_path, stated="b", links=("contact",))
    assert (report.likely_same, report.records["contact"].created) == ((), 2)


async def test_the_command_offers_to_link_and_links(database: Database, module_dsn: str, tmp_path: Path) -> None:
    await firms(database, tmp_path, "a", A_FIRMS)
    await firms(database, tmp_path, "b", B_FIRMS, dry_run=True)
    words = ("import", str(tmp_path / "firms.toml"), str(tmp_path))
    code, output = await run_on(module_dsn, *words, "--dry-run", data=tmp_path)
    assert code == 0
    assert "1 new companies have the domain of a record of another source: likely the same" in output
    assert "(--link companies links them)" in output
    assert "  A: acme.example (Acme)" in output
    assert "1 new companies share their domain with several companies: not linked" in output
    code, output = await run_on(module_dsn, *words, "--link", "companies, members", data=tmp_path)
    assert (code, "1 companies were linked to the record of another source" in output) == (0, True)
    code, output = await run_on(module_dsn, *words, "--link", "deals", data=tmp_path)
    assert (code, "--link: 'deals' cannot be linked" in output) == (2, True)
