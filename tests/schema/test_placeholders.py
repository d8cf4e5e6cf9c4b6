"""Placeholders for empty cells, and what is none."""

import pytest

from schema.placeholders import PLACEHOLDERS, empty_cells, is_placeholder, without_words


@pytest.mark.parametrize("cell", ["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#n/a", "#NV", "#¡VALOR!"])
def test_error_values_of_spreadsheets_are_always_empty(cell: str) -> None:
    assert cell in empty_cells()


def test_a_placeholder_is_empty_in_lower_upper_and_title_case() -> None:
    assert {"null", "NULL", "Null", "(No Value)", "(no value)"} <= empty_cells(["null", "(No value)"])
    assert not {"nULL", "null "} & empty_cells(["null"])


def test_a_name_may_be_a_word_but_no_sign() -> None:
    kept = empty_cells(PLACEHOLDERS) - without_words(empty_cells(PLACEHOLDERS))
    assert {"Null", "None", "Nil", "NAN"} <= kept
    assert not kept & {"#N/A", "N/A", "-", "(No value)", "[not provided]"}


@pytest.mark.parametrize("cell", ["NA", "Unknown", "Nullmeier", "0", "none of these"])
def test_values_that_only_look_like_placeholders_are_kept(cell: str) -> None:
    assert not is_placeholder(cell)
    assert cell not in empty_cells(PLACEHOLDERS)
