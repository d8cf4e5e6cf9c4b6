"""A file's encoding, delimiter and quoting are detected; a file for which they are not certain is refused."""

import csv
import io
import itertools
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.errors import AccordError, ErrorCode
from api.importers.reporting.rejects_file import RejectsFile
from api.importers.row_values import RowCount, StagedColumn, read_rows
from api.importers.source_file import SourceFile, detect_file
from api.progress import no_progress

HEADER = ("id", "name", "place")
ROWS = (("1", "Ana", "São Paulo"), ("2", 'Bob "the car" B', "a, b; c"), ("3", "Zoë", "line\nbreak"))


def written(folder: Path, content: bytes, columns: tuple[str, ...] = HEADER) -> SourceFile:
    (folder / "people.csv").write_bytes(content)
    return detect_file(folder, "people.csv", columns)


def as_text(delimiter: str = ",", quote: str = '"', *, is_escaped: bool = False, rows: object = ROWS) -> str:
    out = io.StringIO()
    writer = csv.writer(
        out,
        delimiter=delimiter,
        quotechar=quote,
        doublequote=not is_escaped,
        escapechar="\\" if is_escaped else None,
        lineterminator="\r\n",
    )
    assert isinstance(rows, tuple | list)
    writer.writerows([HEADER, *rows])
    return out.getvalue()


def read(source: SourceFile, folder: Path) -> list[tuple[object, ...]]:
    columns = tuple(StagedColumn(name, name, "TEXT", str, is_required=False) for name in HEADER)
    count = RowCount()
    with RejectsFile(folder / "rejects.csv") as rejects:
        found = [row[2:] for row in read_rows(source, columns, 0, rejects.add, count, no_progress)]
    assert (count.read, count.rejected) == (len(found), 0)
    return found


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("cp1252", "cp1252"),
        ("latin-1", "cp1252"),
    ],
)
def test_the_encoding_is_detected(tmp_path: Path, encoding: str, found: str) -> None:
    source = written(tmp_path, as_text().encode(encoding))
    assert source.encoding == found
    assert read(source, tmp_path) == list(ROWS)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"id,name,place\n1,Zo\xc3\xab,M\xfcnchen\n", "mixes UTF-8 with other text \\(line 2\\)"),
        (b"id,name,place\n1,A,B\n2,\x81,C\n", "in an encoding that Accord does not know \\(line 3\\)"),
        (b"\xef\xbb\xbfid,name,place\n1,Zo\xeb,B\n", "begins as utf-8-sig text, but line 1 or a later one is not"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", "is not text: it holds zero bytes"),
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"id,name\n1,A\n", "has no column place; its columns are: id, name"),
        (b"id,name,place,name\n", "has the column name more than once; its columns are: id, name, place, name"),
        (b"a;b;c\n1;2;3\n", "its columns are: a, b, c"),
    ],
)
def test_a_file_that_is_damaged_or_of_an_uncertain_encoding_is_refused(
    tmp_path: Path, content: bytes, words: str
) -> None:
    with pytest.raises(AccordError, match=words) as refused:
        written(tmp_path, content)
    assert refused.value.code == ErrorCode.BAD_FILE
    assert str(tmp_path) in refused.value.message


def test_a_path_that_is_not_a_folder_or_not_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AccordError, match="does not exist"):
        detect_file(tmp_path / "nowhere", "people.csv", HEADER)
    (tmp_path / "other.csv").touch()
    with pytest.raises(AccordError, match=r"There is no people\.csv in .*; there is other\.csv"):
        detect_file(tmp_path, "people.csv", HEADER)
    with pytest.raises(AccordError, match="is not a folder"):
        detect_file(tmp_path / "other.csv", "people.csv", HEADER)
    (tmp_path / "people.csv").mkdir()
    with pytest.raises(AccordError, match="is not a file"):
        detect_file(tmp_path, "people.csv", HEADER)


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(as_text())
    (tmp_path / "people.csv").chmod(0)
    me = os.geteuid()
    if me == 0:  # root may read everything: drop its rights for a moment
        for folder in (tmp_path, *tmp_path.parents[:-2]):
            folder.chmod(folder.stat().st_mode | 0o111)
        os.seteuid(65534)
    try:
        with pytest.raises(AccordError, match=r"people\.csv cannot be read: Permission denied"):
            detect_file(tmp_path, "people.csv", HEADER)
    finally:
        os.seteuid(me)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("delimiter", "quote", "is_escaped"), list(itertools.product(",;\t|", "\"'", (False, True))))
def test_delimiter_and_quoting_are_detected(
    tmp_path: Path, delimiter: str, quote: str, ends: str, *, is_escaped: bool
) -> None:
    rows = [tuple(cell.replace("\n", " ") for cell in row) for row in ROWS]
    text = as_text(delimiter, quote, is_escaped=is_escaped, rows=rows).replace("\r\n", ends)
    source = written(tmp_path, text.encode())
    assert source.dialect.delimiter == delimiter
    assert read(source, tmp_path) == rows


def test_a_quoted_line_break_is_part_of_its_cell_and_blank_lines_are_skipped(tmp_path: Path) -> None:
    source = written(tmp_path, b'\nid,name,place\n\n1,"a\r\nb",c\n\n2,d,e')
    assert read(source, tmp_path) == [("1", "a\r\nb", "c"), ("2", "d", "e")]


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff", exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_cells_written_in_any_dialect_are_read_back(
    tmp_path: Path, rows: list[tuple[str, str, str]], delimiter: str, encoding: str
) -> None:
    source = written(tmp_path, as_text(delimiter, rows=rows).encode(encoding))
    assert source.encoding == encoding
    # Blanks around a cell are stripped, an empty cell is null, and a row of empty cells is a blank line.
    cells = [tuple(cell.strip() or None for cell in row) for row in rows]
    assert read(source, tmp_path) == [row for row in cells if any(row)]
