"""Columns as dimensions: which may be one, and what the two that ship mean."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest

from schema.base import ColumnShape, TableShape
from schema.declarations import ColumnNote
from schema.kpis import CATALOGUE
from schema.kpis.declared_dimensions import declared_dimensions
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.dimensions import dimension_doc
from schema.kpis.kinds import Subject
from schema.tables import SHAPES
from tests.kpis.test_catalogue import CUSTOMER_KPIS


def with_column(table: str, python: type, *, hidden: bool = False, personal: bool = False) -> TableShape:
    """A table with one more column, which is a dimension."""
    note = ColumnNote(doc="Made up.", dimension=True, hidden=hidden, personal=personal)
    made_up = ColumnShape("made_up", python, True, False, False, note, None)
    shape = SHAPES[table]
    return replace(shape, columns=(made_up,))


@pytest.mark.parametrize("python", [str, bool, int, date])
@pytest.mark.parametrize("table", ["contact", "company", "deal"])
def test_a_column_of_a_record_that_kpis_count_is_a_dimension(table: str, python: type) -> None:
    found = declared_dimensions([with_column(table, python)])
    assert list(found) == [f"{table.upper()}_MADE_UP"]


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        (with_column("touchpoint", str), "only columns of contact, company, deal can"),
        (with_column("contact", str, personal=True), "everyone who reads KPIs would read it"),
        (with_column("deal", str, hidden=True), "everyone who reads KPIs would read it"),
        (with_column("deal", Decimal), "only texts"),
        (with_column("deal", datetime), "only texts"),
    ],
)
def test_what_cannot_be_a_dimension_is_refused(shape: TableShape, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        declared_dimensions([shape])


def test_declared_dimensions_belong_to_the_kpis_about_their_records() -> None:
    for kpi in CATALOGUE.values():
        is_about_people = kpi.subject is Subject.PERSON
        is_about_deals = kpi.subject is Subject.DEAL and kpi.key not in CUSTOMER_KPIS
        assert (Dimension["CONTACT_SOURCE_DETAIL"] in kpi.dimensions) == is_about_people
        assert (Dimension["DEAL_LOST_REASON"] in kpi.dimensions) == is_about_deals


def test_a_declared_dimension_says_what_its_column_says_and_when_it_holds() -> None:
    assert dimension_doc(Dimension["CONTACT_EMAIL_KIND"]) == (
        "The kind of mailbox, computed from the e-mail address. Moment: the counted instant."
    )
