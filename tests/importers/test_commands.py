"""The commands `accord import` and `accord init`."""

import re
from pathlib import Path

import pytest

from api.db import Database
from tests.importers.conftest import SIX_LEADS, Write, rows
from tests.support.commands import run_on


async def test_import_reports_its_counts_and_the_file_of_rejected_rows(
    database: Database, module_dsn: str, write: Write, tmp_path: Path
) -> None:
    folder = str(write(leads=(*SIX_LEADS, ("zoe", "soon", "p", "email"))))
    code, output = await run_on(module_dsn, "import", "olist", folder, "--dry-run", data=tmp_path)
    assert (code, "A dry run: nothing was written" in output) == (0, True)
    assert await rows(database, "select count(*) from contact") == [(0,)]

    code, output = await run_on(module_dsn, "import", "olist", folder, data=tmp_path)
    assert code == 0
    assert "olist_marketing_qualified_leads_dataset.csv: 7 rows, 1 refused (UTF-8, commas)" in output
    assert re.search(r"contact +6 new +0 changed +0 unchanged", output)
    assert "The accord 'Olist's seller funnel' is version 1, provisional" in output
    rejects = re.search(r"Refused rows, each with its reason: (.*)", output)
    assert rejects is not None
    assert "zoe" not in Path(rejects[1]).read_text()
    assert ",8,first_contact_date,soon," in Path(rejects[1]).read_text()

    code, output = await run_on(module_dsn, "import", "olist", folder, data=tmp_path)
    assert (code, "Everything was known already: unchanged" in output) == (0, True)


async def test_the_suggested_next_command_repeats_the_data_folder(
    database: Database, module_dsn: str, write: Write, tmp_path: Path
) -> None:
    folder, own = str(write(leads=SIX_LEADS)), tmp_path / "our own"
    _, output = await run_on(module_dsn, "import", "olist", folder, "--data", str(own), data=tmp_path)
    assert f"See it with: accord funnel --data '{own}'\n" in output
    assert await rows(database, "select count(*) from contact") == [(6,)]
    file = f"{folder}/olist_marketing_qualified_leads_dataset.csv"
    _, output = await run_on(module_dsn, "import", "csv", file, "--suggest", "--data", str(own), data=tmp_path)
    assert output.endswith(f"--preset FILE.toml --data '{own}'\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("import", "olost", "."), "There is no preset 'olost'."),
        (("import", "olist", "nowhere"), "nowhere does not exist."),
        (("init", "--accord", "standart"), "There is no accord 'standart'."),
    ],
)
async def test_an_unknown_name_is_explained(
    database: Database, module_dsn: str, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    code, output = await run_on(module_dsn, *words, data=tmp_path)
    assert (code, message in output) == (2, True)
    assert await rows(database, "select count(*) from accord_version") == [(0,)]


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
async def test_an_import_that_would_lose_most_of_a_file_commits_nothing_and_ends_with_3(
    database: Database, module_dsn: str, write: Write, tmp_path: Path, options: tuple[str, ...]
) -> None:
    bad = ("zoe", "soon", "p", "email")
    folder = str(write(leads=(SIX_LEADS[0], bad, bad), deals=()))
    code, output = await run_on(module_dsn, "import", "olist", folder, *options, data=tmp_path)
    assert code == 3
    assert "WARNING: most rows of olist_marketing_qualified_leads_dataset.csv were refused (2 of 3)." in output
    assert "Nothing was imported, because less than half of olist_marketing_qualified_leads_dataset.csv" in output
    assert "Done" not in output
    rejects = re.search(r"Refused rows, each with its reason: (.*)", output)
    assert rejects is not None
    assert Path(rejects[1]).read_text().count(",first_contact_date,soon,") == 2
    for table in ("contact", "accord_version", "import_job", "source_gap"):
        assert await rows(database, f"select count(*) from {table}") == [(0,)]


async def test_the_loss_of_most_of_a_file_can_be_accepted(
    database: Database, module_dsn: str, write: Write, tmp_path: Path
) -> None:
    bad = ("zoe", "soon", "p", "email")
    folder = str(write(leads=(SIX_LEADS[0], bad, bad), deals=()))
    code, output = await run_on(module_dsn, "import", "olist", folder, "--accept-loss", data=tmp_path)
    assert (code, "were refused (2 of 3)" in output, "Done" in output) == (0, True, True)
    assert await rows(database, "select count(*) from contact") == [(1,)]


async def test_half_of_a_file_is_enough(database: Database, module_dsn: str, write: Write, tmp_path: Path) -> None:
    folder = str(write(leads=(SIX_LEADS[0], ("zoe", "soon", "p", "email")), deals=()))
    code, output = await run_on(module_dsn, "import", "olist", folder, data=tmp_path)
    assert (code, "1 refused" in output, "Done" in output) == (0, True, True)
    assert await rows(database, "select count(*) from contact") == [(1,)]


async def test_left_out_values_are_counted_apart_from_refused_rows(
    database: Database, module_dsn: str, write: Write, tmp_path: Path
) -> None:
    folder = str(write(leads=(*SIX_LEADS, ("zoe", "2018-02-01", "p", "tiktok"))))
    code, output = await run_on(module_dsn, "import", "olist", folder, data=tmp_path)
    assert code == 0
    assert "olist_marketing_qualified_leads_dataset.csv: 7 rows, 0 refused, 1 value left out (UTF-8, commas)" in output
    assert "Refused values, each with its reason: " in output
    assert await rows(database, "select count(*) from contact") == [(7,)]


async def test_a_stated_accord_is_adopted_or_proposed_once(
    database: Database, module_dsn: str, write: Write, tmp_path: Path
) -> None:
    folder, versions = str(write()), "select number, status, body ->> 'title' from accord_version order by number"
    code, output = await run_on(module_dsn, "import", "olist", folder, "--accord", "maven", data=tmp_path)
    assert (code, "The accord 'Maven's deals' is version 1, provisional" in output) == (0, True)
    code, output = await run_on(module_dsn, "import", "olist", folder, "--accord", "maven", data=tmp_path)
    assert (code, "proposed" in output) == (0, False)
    _, output = await run_on(module_dsn, "import", "olist", folder, "--accord", "olist", "--dry-run", data=tmp_path)
    assert "The accord 'Olist's seller funnel' would be proposed as the next version." in output
    assert await rows(database, versions) == [(1, "ACTIVE", "Maven's deals")]
    code, output = await run_on(module_dsn, "import", "olist", folder, "--accord", "olist", data=tmp_path)
    assert (code, "Version 2 of the accord is proposed, as a draft." in output) == (0, True)
    _, output = await run_on(module_dsn, "import", "olist", folder, "--accord", "olist", data=tmp_path)
    assert "Version 2 of the accord has the content of 'Olist's seller funnel' already." in output
    drafted = (2, "DRAFT", "Olist's seller funnel")
    assert await rows(database, versions) == [(1, "ACTIVE", "Maven's deals"), drafted]
    code, output = await run_on(module_dsn, "import", "olist", folder, "--accord", "standart", data=tmp_path)
    assert (code, "There is no accord 'standart'." in output) == (2, True)


async def test_init_makes_version_1_once(database: Database, module_dsn: str, tmp_path: Path) -> None:
    code, output = await run_on(module_dsn, "init", "--accord", "olist", data=tmp_path)
    assert (code, "Version 1 of the accord is in force: 'Olist's seller funnel'" in output) == (0, True)
    code, output = await run_on(module_dsn, "init", data=tmp_path)
    assert (code, "Version 2 of the accord is proposed" in output) == (0, True)
    listed = await rows(database, "select number, status from accord_version order by number")
    assert listed == [(1, "ACTIVE"), (2, "DRAFT")]
