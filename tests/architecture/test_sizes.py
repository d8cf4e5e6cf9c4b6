"""The five largest modules and functions, printed to be looked at."""

import ast

import pytest

from tests.support.sources import sources

LONGEST_FUNCTION = 60


def test_the_five_largest_modules(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = sorted(((source.text.count("\n"), source.name) for source in sources()), reverse=True)
    with capsys.disabled():
        print("\nlargest modules (lines):", *(f"  {lines:5} {name}" for lines, name in sizes[:5]), sep="\n")
    assert sizes


def test_the_five_longest_functions_and_none_over_sixty_lines(capsys: pytest.CaptureFixture[str]) -> None:
    lengths = sorted(
        (
            (node.end_lineno or node.lineno) - node.lineno + 1 - documented(node),
            f"{source.name}:{node.lineno} {node.name}",
        )
        for source in sources("api", "schema")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )[::-1]
    with capsys.disabled():
        print(
            "\nlongest functions (lines without docstring):", *(f"  {n:5} {name}" for n, name in lengths[:5]), sep="\n"
        )
    assert [name for length, name in lengths if length > LONGEST_FUNCTION] == []


def documented(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the docstring: they are wanted."""
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is None or first.end_lineno is None:
        return 0
    return first.end_lineno - first.lineno + 1
