"""`DATABASE_URL` in place of the private server: used when it works, one message without its password when not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.embedded import EmbeddedServer, start
from api.embedded.server import cluster_dir
from tests.cli.test_command_line import accord


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A server that stands for somebody else's, and asks for a password."""
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
    done = accord("migrate", data=tmp_path / "data", DATABASE_URL=elsewhere.dsn())
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "data").exists()


def test_a_wrong_password_is_told_and_not_shown(tmp_path: Path, guarded: EmbeddedServer) -> None:
    done = accord("migrate", data=tmp_path, DATABASE_URL=as_outsider(guarded, "wr0ng"))
    assert done.returncode == 2
    assert "refuses the user name or password" in done.stderr
    assert "wr0ng" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_is_not_there_is_named(tmp_path: Path, elsewhere: EmbeddedServer) -> None:
    done = accord("migrate", data=tmp_path, DATABASE_URL=elsewhere.dsn("nowhere"))
    assert done.returncode == 2
    assert '"nowhere"' in done.stderr
    assert "DATABASE_URL" in done.stderr


def test_a_host_that_does_not_answer_is_told(tmp_path: Path) -> None:
    done = accord("migrate", data=tmp_path, DATABASE_URL="postgresql://u:hidden@127.0.0.1:1/d")
    assert done.returncode == 2
    assert "cannot be reached" in done.stderr
    assert "hidden" not in done.stderr
