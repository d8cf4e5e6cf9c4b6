"""`accord explain`: what it prints, and what it says of files and variables that cannot be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def explain(*arguments: str, data: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from api.cli import main; main()", "explain", *arguments, "--data", str(data)]
    without = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=without)


@pytest.mark.parametrize(
    ("document", "variables", "words"),
    [
        (None, "{}", "cannot be read"),
        ("{ contacts { totalCount } }", "{", "not valid JSON"),
        ("{ contacts { totalCount } }", "[]", "no JSON object"),
    ],
)
def test_what_cannot_be_explained_is_said_in_words(
    document: str | None, variables: str, words: str, tmp_path: Path
) -> None:
    file = tmp_path / "question.graphql"
    if document is not None:
        file.write_text(document)
    said = explain(str(file), "--variables", variables, data=tmp_path / "data")
    assert said.returncode == 2
    assert words in said.stderr
    assert "Traceback" not in said.stderr
