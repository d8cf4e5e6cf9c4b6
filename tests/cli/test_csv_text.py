"""CSV that is safe to open in a spreadsheet, and reads back to the same values."""

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.csv_text import CsvWriter, original_text, safe_cell

FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def written(*rows: list[object]) -> str:
    file = io.StringIO(newline="")
    CsvWriter(file).rows(rows)
    return file.getvalue()


@pytest.mark.parametrize(
    "text", ["=2+5", '=HYPERLINK("http://evil.example")', "+49 171", "+49171", "-1+2", "@home", "\t=1", "\r=1", "'=1"]
)
def test_a_formula_becomes_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["-12.50", "1e-7", "'tis", "ada", "", "2026-01-01", -5, Decimal("-1.5"), None, True])
def test_numbers_and_plain_text_stay(value: object) -> None:
    assert safe_cell(value) == value


def test_a_formula_behind_a_semicolon_stays_inside_its_cell() -> None:
    assert written(["x;=2+5", 3]) == '"x;=2+5",3\r\n'


@given(
    st.lists(
        st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=4
    )
)
def test_text_reads_back_but_for_the_apostrophe(cells: list[str]) -> None:
    [row] = csv.reader(io.StringIO(written([*cells, "end"]), newline=""))
    for read, cell in zip(row, cells, strict=False):
        assert original_text(read) == cell
        assert not read.startswith(FORMULAS) or float(read) < 0 or float(read) == 0


@given(st.text(alphabet="'=+-@1a", max_size=4))
def test_the_apostrophe_can_always_be_taken_away_again(text: str) -> None:
    assert original_text(str(safe_cell(text))) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2))
def test_numbers_read_back_to_themselves(number: Decimal) -> None:
    [[as_number, as_text]] = csv.reader(io.StringIO(written([number, str(number)]), newline=""))
    assert Decimal(as_number) == Decimal(as_text) == number
