"""The readings that lists of stage entries name: they have to be evaluated before a statement reads them."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from api.access.evaluation import RequestedReading
from api.plan.list_arguments import Page


def list_readings(node: object) -> Iterator[RequestedReading]:
    """Yield the readings of all lists in a selection, but for the reading in force.

    Shapes: a selection, or several of them in a tuple -> its readings, the same one perhaps twice.
    """
    if isinstance(node, Page):
        if not node.reading.is_current:
            yield node.reading
    elif isinstance(node, tuple):
        for item in node:
            yield from list_readings(item)
    elif is_dataclass(node):
        for field in fields(node):
            yield from list_readings(getattr(node, field.name))
