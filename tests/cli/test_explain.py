"""`accord explain`: messages for unreadable files and invalid variables."""

from pathlib import Path

import pytest

from tests.support.commands import run_command


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
    result = run_command("explain", str(file), "--variables", variables, data=tmp_path / "data")
    assert result.returncode == 2
    assert text in result.stderr
