"""The lines of a document at which its mistakes stand."""

import pytest

from api.accord.toml_lines import line_of, toml_lines

LINES = toml_lines(
    """title = "t"
[reporting]
currency = "EUR"
[[stages]]
key = "known"
[[stages]]
key = "lead"
window = "soon"
[stages.rule]
all = []
[[stages.rule.any]]
field = "x"
[[exits]]
on = not valid
"""
)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("title", 1),
        ("reporting.currency", 3),
        ("reporting.zone", 2),
        ("stages[0] (known).window", 4),
        ("stages[1] (lead).window", 8),
        ("stages[1] (lead).rule.all[0].touches.within", 10),
        ("stages[1] (lead).rule.any[0].field", 12),
        ("exits[0].on", 14),
        ("exits", 13),
        ("nothing", None),
        ("", None),
    ],
)
def test_a_path_leads_to_the_line_of_its_deepest_part(path: str, line: int | None) -> None:
    assert line_of(LINES, path) == line
