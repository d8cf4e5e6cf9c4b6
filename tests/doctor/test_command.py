"""`accord doctor`: all checks of a private and an external database, its exit codes, and what it does without one."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import asyncpg
import pytest

from api.doctor.all_checks import CHECKS
from tests.support.commands import accord, run_command, run_on
from tests.support.databases import run_statements

NAMES = {check.name for check in CHECKS} | {"database"}


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("doctor") / ".accord"
    assert accord("migrate", data=folder).returncode == 0
    yield folder
    accord("stop", data=folder)


def diagnoses(output: str) -> dict[str, dict[str, str]]:
    report = json.loads(output)
    found = {check["name"]: check for check in report["checks"]}
    assert len(found) == len(report["checks"])
    assert report["errors"] == sum(check["severity"] == "ERROR" for check in found.values())
    assert report["warnings"] == sum(check["severity"] == "WARNING" for check in found.values())
    assert all((check["remedy"] is None) == (check["severity"] == "OK") for check in found.values())
    return found


def test_every_check_has_a_name_of_its_own() -> None:
    assert len(NAMES) == len(CHECKS) + 1


def test_a_private_database_that_was_just_made_has_no_error(private: Path) -> None:
    done = accord("doctor", "--json", data=private)
    assert done.returncode == 0, done.stdout + done.stderr
    found = diagnoses(done.stdout)
    assert set(found) == NAMES
    assert [name for name, check in found.items() if check["severity"] != "OK"] == ["accord"]


def test_the_text_is_aligned_and_says_what_to_do(private: Path) -> None:
    done = run_command("doctor", data=private, COLUMNS="100")
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert lines[0] == "OK       packages         Accord's packages are its own."
    assert "WARNING  accord           This database has no accord yet." in lines
    assert any(line.startswith(" " * 26 + "To do: Adopt one with `accord init`") for line in lines)
    assert lines[-1] == f"no errors, 1 warning, {len(NAMES)} checks."
    assert all(len(line) <= 100 for line in lines)


def test_a_folder_without_a_database_stays_empty(tmp_path: Path) -> None:
    done = run_command("doctor", data=tmp_path)
    assert done.returncode == 1
    assert "Run `accord migrate`" in done.stdout
    assert "Not checked: server version, encoding" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_without_a_database_the_other_checks_are_made_and_no_password_is_shown(tmp_path: Path) -> None:
    url = "postgresql://accord:s3cret@127.0.0.1:9/accord"
    done = run_command(
        "doctor", "--json", data=tmp_path, DATABASE_URL=url, ACCORD_SLOW_MS="60000", ACCORD_OIDC_CLIENT_SECRET="s3cret",
        ACCORD_OIDC_ISSUER="https://login.example", ACCORD_OIDC_CLIENT_ID="accord",
    )  # fmt: skip
    assert done.returncode == 1
    found = diagnoses(done.stdout)
    assert found["database"]["severity"] == "ERROR"
    assert "cannot be reached" in found["database"]["found"]
    assert found["settings"]["severity"] == "WARNING"
    assert "server version" in json.loads(done.stdout)["notMade"]
    assert "s3cret" not in done.stdout + done.stderr


def test_a_setting_that_is_not_valid_is_named(tmp_path: Path) -> None:
    done = run_command("doctor", "--json", data=tmp_path, ACCORD_POOL_SIZE="1")
    assert done.returncode == 1
    assert "ACCORD_POOL_SIZE is 1" in diagnoses(done.stdout)["settings"]["found"]


async def test_an_external_database_is_only_read(server: str, dsn: str, name: str, tmp_path: Path) -> None:
    await run_statements(server, f"alter database {name} set default_transaction_read_only = on")
    code, output = await run_on(dsn, "doctor", "--json", data=tmp_path)
    found = diagnoses(output)
    assert (code, set(found)) == (1, NAMES)
    assert not [check for check in found.values() if "could not be checked" in check["found"]]
    assert found["writing"]["severity"] == "ERROR"


async def test_a_role_that_may_only_connect_is_told_everything_that_is_missing(as_role: str, tmp_path: Path) -> None:
    code, output = await run_on(as_role, "doctor", "--json", data=tmp_path)
    found = diagnoses(output)
    assert code == 1
    assert found["table rights"]["severity"] == "ERROR"
    assert found["schema rights"]["severity"] == "WARNING"
    assert "permission denied for table" in found["revision"]["found"]


async def test_a_database_that_was_never_set_up_is_checked_as_far_as_it_is_there(server: str, tmp_path: Path) -> None:
    code, output = await run_on(server, "doctor", "--json", data=tmp_path)
    found = diagnoses(output)
    assert code == 1
    assert found["revision"]["remedy"] == "Run `accord migrate`."
    assert found["server version"]["severity"] == "OK"
    assert json.loads(output)["notMade"] == ["accord", "credentials", "jobs", "clock"]


async def test_it_does_not_wait_for_the_locks_of_others(dsn: str, tmp_path: Path) -> None:
    holder = await asyncpg.connect(dsn)
    try:
        await holder.execute("begin; lock table outbox_event, team in access exclusive mode")
        _, output = await run_on(dsn, "doctor", "--json", data=tmp_path)
    finally:
        await holder.close()
    found = diagnoses(output)
    unchecked = [name for name, check in found.items() if "could not be checked" in check["found"]]
    assert unchecked == ["jobs", "clock"]
    assert found["table rights"]["severity"] == "OK"


async def test_a_password_in_the_name_of_the_host_folder_is_not_shown(dsn: str, tmp_path: Path) -> None:
    _, output = await run_on(f"{dsn}&password={quote('s3cret')}", "doctor", data=tmp_path)
    assert "Accord reaches its database" in output
    assert "s3cret" not in output
