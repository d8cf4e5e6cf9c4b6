"""The `accord` command itself: quick help, a message for an expected error, an id for a bug."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
import typer

from api.cli import app, main
from api.cli.lazy_command import LazyCommand
from api.cli.pidfile import held_pidfile, stop_all
from api.cli.serving.listening import bound_listener
from api.errors import AccordError, ErrorCode
from api.settings import Settings
from tests.support.commands import accord, run_command

SERVER = """
import sys, time
from pathlib import Path
from api.cli.pidfile import held_pidfile
from api.settings import Settings
with held_pidfile(Settings(data_dir=Path(sys.argv[1]), port=2)):
    print("up", flush=True)
    time.sleep(60)
"""


def test_help_is_printed_well_under_a_second(tmp_path: Path) -> None:
    before = os.times()
    result = accord("--help", data=tmp_path)
    after = os.times()
    # The processor's time: the machine may do other things, too.
    assert after.children_user + after.children_system - before.children_user - before.children_system < 1
    assert result.returncode == 0
    assert "serve" in result.stdout


def test_the_version_is_printed(tmp_path: Path) -> None:
    result = run_command("--version", data=tmp_path)
    assert (result.returncode, result.stdout) == (0, f"accord {metadata.version('accord-graphql')}\n")


def test_an_unknown_command_is_an_error_that_names_it(tmp_path: Path) -> None:
    result = accord("srve", data=tmp_path)
    assert result.returncode == 2
    assert "No such command 'srve'. Did you mean 'serve'?" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_in_use_is_an_error_before_anything_starts(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = run_command("serve", "--port", str(port), data=data)
    assert result.returncode == 2
    assert result.stderr.startswith(f"accord: Port {port} on 127.0.0.1 is in use by another program.")
    assert f"--port {port + 1}" in result.stderr
    assert not data.exists()


def test_an_address_that_cannot_be_listened_on_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "bind", _forbid)
    with pytest.raises(AccordError, match=r"cannot listen on 127\.0\.0\.1:1") as caught:
        bound_listener("127.0.0.1", 1)
    assert caught.value.code is ErrorCode.PORT_IN_USE


def _forbid(*_: object) -> None:
    raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("DATABASE_URL", "mysql://u:secret@h/d", "not a PostgreSQL address"),
        ("DATABASE_URL", "secret", "not a PostgreSQL address"),
        ("DATABASE_URL", "postgresql://u:p@[secret/d", "host or port is malformed"),
        ("DATABASE_URL", "postgresql://u:p@h:secret/d", "host or port is malformed"),
        ("DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/d", "cannot be reached"),
        ("DATABASE_URL_READ", "postgresql://u:secret@h/d", "DATABASE_URL_READ needs DATABASE_URL"),
        ("ACCORD_PORT", "secret", "ACCORD_PORT"),
        ("ACCORD_PORT", "99999", "ACCORD_PORT"),
    ],
)
def test_an_invalid_setting_is_named_without_its_value(tmp_path: Path, name: str, value: str, text: str) -> None:
    result = run_command("serve", data=tmp_path, **{"ACCORD_PORT": "0", name: value})
    assert result.returncode == 2
    assert text in result.stderr
    assert "secret" not in result.stderr


def test_a_bug_is_logged_with_an_id_and_prints_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("the innermost cause")

    monkeypatch.setenv("ACCORD_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(typer.Typer, "__call__", break_down)
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        main()
    signal.signal(signal.SIGTERM, handler)
    printed = capsys.readouterr().err
    log = (tmp_path / "errors.log").read_text()
    assert ended.value.code == 70
    assert "innermost" not in printed
    assert "the innermost cause" in log
    assert log.split()[1] in printed


def test_every_command_and_option_has_a_help_text() -> None:
    commands = {name: command.load() for name, command in lazy_commands().items()}
    assert [name for name, command in commands.items() if not command.help] == []
    assert [
        f"{name} {option.name}"
        for name, command in commands.items()
        for option in command.params
        if not getattr(option, "help", None)
    ] == []


def test_the_list_of_commands_shows_the_first_line_of_their_help() -> None:
    for command in lazy_commands().values():
        assert command.short_help == (command.load().help or "").splitlines()[0]


def test_help_imports_no_command_module(tmp_path: Path) -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from api.cli import app; CliRunner().invoke(app, ['--help']);"
        " print(*sorted(name for name in sys.modules if name.startswith('api.')))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    # `api.cli.access` and `api.cli.planning` have the names of their commands.
    groups = ["api.cli.access", "api.cli.error_reports", "api.cli.lazy_command", "api.cli.planning"]
    expected = ["api.cli", *groups, "api.errors"]
    assert result.stdout.split() == expected


def lazy_commands() -> dict[str, LazyCommand]:
    """All commands, also those within groups, by their words."""
    found = dict(commands_of(typer.main.get_command(app), ""))
    assert {"serve", "key create", "member add"} <= set(found)
    return found


def commands_of(group: object, words: str) -> Iterator[tuple[str, LazyCommand]]:
    for name, command in getattr(group, "commands", {}).items():
        if isinstance(command, LazyCommand):
            yield f"{words}{name}", command
        else:
            yield from commands_of(command, f"{words}{name} ")


def test_stop_ends_a_running_server_and_removes_the_pidfile_of_a_dead_one(tmp_path: Path) -> None:
    (tmp_path / "serve-1.pid").write_text(str(os.getpid()))
    command = [sys.executable, "-c", SERVER, str(tmp_path)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "up\n"
    assert stop_all(tmp_path, 20) == [holder.pid]
    assert holder.wait(5) == -signal.SIGTERM
    holder.stdout.close()
    assert list(tmp_path.glob("*.pid")) == []
    assert stop_all(tmp_path, 20) == []


def test_a_server_that_exits_removes_its_pidfile(tmp_path: Path) -> None:
    path = tmp_path / f"serve-8000-{os.getpid()}.pid"
    with held_pidfile(Settings(data_dir=tmp_path, port=8000)):
        assert path.read_text() == str(os.getpid())
    assert not path.exists()


def test_a_server_with_a_database_url_goes_without_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "data"  # nobody, not even root, can make it
    monkeypatch.setenv("DATABASE_URL", "postgresql://localhost/accord")
    with held_pidfile(Settings(data_dir=folder)):
        assert capsys.readouterr().err.count("`accord stop` does not find this server") == 1
    monkeypatch.delenv("DATABASE_URL")
    with pytest.raises(AccordError) as refused, held_pidfile(Settings(data_dir=folder)):
        pytest.fail("the private PostgreSQL has no folder")
    assert refused.value.code is ErrorCode.DATA_FOLDER
