"""`DATABASE_URL` replaces the private server; a failed connection is a message without the password."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.embedded import EmbeddedServer, start
from api.embedded.server import cluster_dir
from tests.support.commands import run_command


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """Another server, in place of a user's own."""
    server = start(tmp_path_factory.mktemp("elsewhere"), is_durable=False)
    yield server
    server.close()


@pytest.fixture(scope="module")
def guarded(elsewhere: EmbeddedServer) -> EmbeddedServer:
    rules = cluster_dir(elsewhere.data_dir) / "pg_hba.conf"
    rules.write_text(f"local all outsider scram-sha-256\n{rules.read_text()}")
    elsewhere.psql("CREATE ROLE outsider LOGIN PASSWORD 'right'")
    elsewhere.psql("SELECT pg_reload_conf()")
    return elsewhere


def as_outsider(server: EmbeddedServer, password: str) -> str:
    return server.dsn().replace("postgres@", f"outsider:{password}@", 1)


def test_it_replaces_the_private_server(tmp_path: Path, elsewhere: EmbeddedServer) -> None:
    result = run_command("migrate", data=tmp_path / "data", DATABASE_URL=elsewhere.dsn())
    assert (result.returncode, result.stderr) == (0, "")
    assert not (tmp_path / "data").exists()


def test_a_wrong_password_is_reported_and_not_printed(tmp_path: Path, guarded: EmbeddedServer) -> None:
    result = run_command("migrate", data=tmp_path, DATABASE_URL=as_outsider(guarded, "wr0ng"))
    assert result.returncode == 2
    assert "refuses the user name or password" in result.stderr
    assert "wr0ng" not in result.stdout + result.stderr


def test_a_missing_database_is_named(tmp_path: Path, elsewhere: EmbeddedServer) -> None:
    result = run_command("migrate", data=tmp_path, DATABASE_URL=elsewhere.dsn("nowhere"))
    assert result.returncode == 2
    assert '"nowhere"' in result.stderr
    assert "DATABASE_URL" in result.stderr


def test_an_unreachable_host_is_reported(tmp_path: Path) -> None:
    result = run_command("migrate", data=tmp_path, DATABASE_URL="postgresql://u:hidden@127.0.0.1:1/d")
    assert result.returncode == 2
    assert "cannot be reached" in result.stderr
    assert "hidden" not in result.stderr
