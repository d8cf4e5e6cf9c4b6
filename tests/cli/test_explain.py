"""`accord explain`: messages for unreadable files and invalid variables."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def explain(*arguments: str, data: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from api.cli import main; main()", "explain", *arguments, "--data", str(data)]
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize(
    ("document", "variables", "text"),
    [
        (None, "{}", "cannot be read"),
        ("{ contacts { totalCount } }", "{", "not valid JSON"),
        ("{ contacts { totalCount } }", "[]", "not a JSON object"),
    ],
)
def test_an_unreadable_file_or_an_invalid_variable_is_an_error(
    document: str | None, variables: str, text: str, tmp_path: Path
) -> None:
    file = tmp_path / "document.graphql"
    if document is not None:
        file.write_text(document)
    result = explain(str(file), "--variables", variables, data=tmp_path / "data")
    assert result.returncode == 2
    assert text in result.stderr
    assert "Traceback" not in result.stderr
