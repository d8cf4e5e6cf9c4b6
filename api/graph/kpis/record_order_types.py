"""The argument `orderBy` of the field `records`: its input types, and the order read from a value."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.graph.declared import Declared, Input, InputType, TypeRef
from api.graph.derived.naming import camel
from api.metrics.record_lists.record_order import RecordOrder, RecordSort

ORDER = "CountedRecordOrder"
_PRESSURE_ORDER = "ContactPressureOrder"
_DIRECTION = TypeRef("SortDirection")
_OF_PRESSURE = {
    RecordSort.TOUCHES: "The number of touches.",
    RecordSort.FIRST_TOUCH_AT: "The first of the touches.",
    RecordSort.LAST_TOUCH_AT: "The last of the touches.",
}
_SORTS = {camel(sort.value): sort for sort in RecordSort}

RECORD_ORDER_TYPES: tuple[Declared, ...] = (
    InputType(
        ORDER,
        "One value to sort the records behind a number by. Records that are equal in all given values are sorted by the"
        " instant at which they count.",
        (
            Input("at", "The instant at which the record counts.", _DIRECTION),
            Input("value", "What the record gives to the number; null for an amount that is kept apart.", _DIRECTION),
            Input(
                "contactPressure",
                "What put the person over the contact policy: for OVER_PRESSURE_RATE only, BAD_INPUT for other KPIs.",
                TypeRef(_PRESSURE_ORDER),
            ),
        ),
        is_one_of=True,
    ),
    InputType(
        _PRESSURE_ORDER,
        "One value of the contact pressure to sort by. It is null for people who were never over the policy.",
        tuple(Input(camel(sort.value), doc, _DIRECTION) for sort, doc in _OF_PRESSURE.items()),
        is_one_of=True,
    ),
)


def read_record_order(given: Sequence[Mapping[str, Any]]) -> RecordOrder:
    """Return the order of the value of `orderBy`."""
    terms = (item for term in given for item in (term.get("contactPressure") or term).items())
    return RecordOrder.of((_SORTS[key], direction) for key, direction in terms)
