"""The `accord` command itself: quick help, one message for an expected error, an id for an unforeseen one."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from api.cli import app, main
from api.cli.pidfile import announced, stop_all
from api.cli.serve_command import listening_socket
from api.errors import AccordError, ErrorCode

SERVER = """
import sys, time
from pathlib import Path
from api.cli.pidfile import announced
with announced(Path(sys.argv[1]), 2):
    print("up", flush=True)
    time.sleep(60)
"""


def accord(*words: str, data: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    clean = {
        name: value for name, value in os.environ.items() if name != "DATABASE_URL" and not name.startswith("ACCORD_")
    }
    return subprocess.run(
        [sys.executable, "-c", "from api.cli import main; main()", *words],
        env={**clean, "ACCORD_DATA_DIR": str(data), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_answers_well_under_a_second(tmp_path: Path) -> None:
    began = time.perf_counter()
    done = accord("--help", data=tmp_path)
    assert time.perf_counter() - began < 1
    assert done.returncode == 0
    assert "serve" in done.stdout


def test_an_unknown_command_says_so(tmp_path: Path) -> None:
    done = accord("srve", data=tmp_path)
    assert done.returncode == 2
    assert "No such command 'srve'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_refused_before_anything_starts(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = accord("serve", "--port", str(port), data=data)
    assert done.returncode == 2
    assert done.stderr.startswith(f"accord: Port {port} on 127.0.0.1 is in use by another program.")
    assert f"--port {port + 1}" in done.stderr
    assert not data.exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.org"])
def test_without_credentials_only_this_machine_is_served(tmp_path: Path, host: str) -> None:
    data = tmp_path / "data"
    done = accord("serve", "--host", host, data=data)
    assert done.returncode == 2
    assert "No credentials are configured" in done.stderr
    assert not data.exists()


def test_an_address_that_cannot_be_listened_on_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "bind", _forbid)
    with pytest.raises(AccordError, match=r"cannot listen on 127\.0\.0\.1:1") as refused:
        listening_socket("127.0.0.1", 1)
    assert refused.value.code is ErrorCode.PORT_IN_USE


def _forbid(*_: object) -> None:
    raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DATABASE_URL", "mysql://u:secret@h/d", "not a PostgreSQL address"),
        ("DATABASE_URL", "secret", "not a PostgreSQL address"),
        ("DATABASE_URL", "postgresql://u:p@[secret/d", "host or port is malformed"),
        ("DATABASE_URL", "postgresql://u:p@h:secret/d", "host or port is malformed"),
        ("DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/d", "cannot be reached"),
        ("ACCORD_PORT", "secret", "ACCORD_PORT"),
        ("ACCORD_PORT", "99999", "ACCORD_PORT"),
    ],
)
def test_a_senseless_setting_is_named_and_not_shown(tmp_path: Path, name: str, value: str, said: str) -> None:
    done = accord("serve", data=tmp_path, **{"ACCORD_PORT": "0", name: value})
    assert done.returncode == 2
    assert said in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unforeseen_error_is_logged_with_an_id_and_shows_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("the innermost thing")

    monkeypatch.setenv("ACCORD_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(typer.Typer, "__call__", break_down)
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        main()
    signal.signal(signal.SIGTERM, handler)
    said = capsys.readouterr().err
    log = (tmp_path / "errors.log").read_text()
    assert ended.value.code == 70
    assert "innermost" not in said
    assert "the innermost thing" in log
    assert log.split()[1] in said


def test_every_command_and_option_says_what_it_is_for() -> None:
    command = typer.main.get_command(app)
    listed = getattr(command, "commands", {})
    assert listed
    silent = [
        f"{name} {option.name}"
        for name, one in listed.items()
        for option in one.params
        if not getattr(option, "help", None)
    ]
    assert [name for name, one in listed.items() if not one.help] == []
    assert silent == []


def test_stop_finds_a_server_left_behind_and_forgets_a_dead_one(tmp_path: Path) -> None:
    (tmp_path / "serve-1.pid").write_text(str(os.getpid()))
    command = [sys.executable, "-c", SERVER, str(tmp_path)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "up\n"
    assert stop_all(tmp_path) == [holder.pid]
    assert holder.wait(5) == -signal.SIGTERM
    holder.stdout.close()
    assert list(tmp_path.glob("*.pid")) == []
    assert stop_all(tmp_path) == []


def test_a_server_that_ends_by_itself_leaves_no_file(tmp_path: Path) -> None:
    with announced(tmp_path, 8000):
        assert (tmp_path / "serve-8000.pid").exists()
    assert not (tmp_path / "serve-8000.pid").exists()
