"""`accord migrate` prints what it ran."""

from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.errors import AccordError, ErrorCode
from api.revisions import head_revision


@pytest.fixture
def accord(empty_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("DATABASE_URL", empty_dsn)
    return lambda *words: CliRunner().invoke(app, ["migrate", *words])


def test_it_prints_each_migration_and_the_current_revision(accord: Callable[..., Result]) -> None:
    first, second = accord(), accord()
    assert f"Applied {head_revision()}" in first.stdout
    assert f"now at revision {head_revision()}." in first.stdout
    assert "Applied" not in second.stdout
    assert f"already at revision {head_revision()}." in second.stdout


def test_going_back_needs_the_option_back(accord: Callable[..., Result]) -> None:
    accord()
    refused = accord("--to", "base")
    assert isinstance(refused.exception, AccordError)
    assert refused.exception.code is ErrorCode.BAD_INPUT
    undone = accord("--to", "base", "--back")
    assert f"Undid {head_revision()}" in undone.stdout
    assert undone.stdout.endswith("now empty.\n")
