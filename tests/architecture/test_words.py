"""Limits on names and words that make the code hard to read."""

from pathlib import Path

from tests.support.sources import docstrings_with, duplicate_class_names, loops_over, sources

MOST_DUPLICATE_CLASS_NAMES = 4
TELLING = r"\b(told|tell|tells|telling)\b"
MOST_TELLING_DOCSTRINGS = 15
MOST_LOOPS_OVER_EACH = 100


def test_few_class_names_are_used_twice() -> None:
    duplicates = duplicate_class_names(sources())
    assert len(duplicates) <= MOST_DUPLICATE_CLASS_NAMES, duplicates


def test_few_docstrings_tell() -> None:
    found = docstrings_with(TELLING, sources())
    assert len(found) <= MOST_TELLING_DOCSTRINGS, found


def test_few_loop_variables_are_named_each() -> None:
    found = loops_over("each", sources())
    assert len(found) <= MOST_LOOPS_OVER_EACH, found


def test_the_measures_find_what_they_look_for(tmp_path: Path) -> None:
    """A limit that cannot be exceeded guards nothing."""
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "one.py").write_text(
        '"""Tells a story."""\nclass Row: ...\n'
        'def read() -> None:\n    """It is told once."""\n    for each in ():\n        pass\n',
        encoding="utf-8",
    )
    (tmp_path / "api" / "two.py").write_text(
        'class Row:\n    """Storytelling is another word."""\n\n'
        "x = [each for number, each in ()]\ny = {other for other in ()}\n",
        encoding="utf-8",
    )
    modules = sources("api", top=tmp_path)
    assert duplicate_class_names(modules) == {"Row": ["api/one.py", "api/two.py"]}
    assert docstrings_with(TELLING, modules) == ["api/one.py:1", "api/one.py:3"]
    assert loops_over("each", modules) == ["api/one.py:5", "api/two.py:4"]
