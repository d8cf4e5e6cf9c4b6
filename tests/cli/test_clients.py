"""`accord clients` needs no database, prints a file that can be redirected, and rejects an unknown client."""

import json
from pathlib import Path

from api.graph.client_files import CLIENT_FILES
from tests.support.commands import run_command


def test_the_output_can_be_parsed(tmp_path: Path) -> None:
    result = run_command("clients", "relay", data=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout)["DateTime"] == "string"
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_client_is_an_error_with_the_known_ones(tmp_path: Path) -> None:
    result = run_command("clients", "appolo", data=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert "There is no file for the client 'appolo'." in result.stderr
    for client in CLIENT_FILES:
        assert client in result.stderr
