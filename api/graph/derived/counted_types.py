"""The fields and the filter that say whether KPIs can count a record: contacts, companies and deals."""

from api.access.exclusions import COUNTED_TABLES
from api.graph.declared import Input, Output, TypeRef
from api.graph.sources import FromIsCounted, FromNotCountedBecause
from schema.base import TableShape
from schema.vocab import NotCountedReason

IS_COUNTED = "isCounted"
_IS_COUNTED_DOC = (
    "Whether KPIs and the funnel can count the record: nothing in `notCountedBecause` excludes it. By today's"
    " exclusions, under `asOf` too. A list with `where: {isCounted: {eq: true}}` leaves out what KPIs leave out; which"
    " of the other records a KPI counts is up to its definition."
)
_REASONS_DOC = "Every reason why KPIs never count the record, by today's exclusions; empty if they can count it."


def is_counted_table(shape: TableShape) -> bool:
    """Return whether KPIs count records of the table."""
    return shape.name in COUNTED_TABLES


def counted_fields() -> tuple[Output, ...]:
    """Return the fields of a record that KPIs count."""
    reasons = TypeRef(NotCountedReason.__name__).required.listed.required
    return (
        Output(IS_COUNTED, _IS_COUNTED_DOC, TypeRef("Boolean").required, source=FromIsCounted()),
        Output("notCountedBecause", _REASONS_DOC, reasons, source=FromNotCountedBecause()),
    )


def counted_filter() -> Input:
    """Return the part of a filter that chooses the records that KPIs count."""
    return Input(IS_COUNTED, _IS_COUNTED_DOC, TypeRef("BooleanFilter"))
