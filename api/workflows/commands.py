"""What commands of workflows have in common: how their fields are declared, and values that several have."""

from dataclasses import MISSING, dataclass, field
from decimal import Decimal
from typing import Any

from schema.vocab import Currency


@dataclass(frozen=True, slots=True)
class MoneyValue:
    """An amount of money."""

    amount: Decimal
    currency: Currency


class OpaqueId(str):
    """The id of something that is no record of a visible table, as the GraphQL API writes it."""

    __slots__ = ()


def argument(doc: str, *, table: str = "", default: Any = MISSING) -> Any:  # noqa: ANN401 - dataclasses.field is typed so
    """Declare a field of a command: its description, and the table of the record that a `Reference` names.

    A field without a `default` is required.
    """
    return field(default=default, metadata={"doc": doc, "table": table})


class _NotGiven:
    """The type of `NOT_GIVEN`."""

    def __repr__(self) -> str:
        return "NOT_GIVEN"


NOT_GIVEN: Any = _NotGiven()
"""The default of a field that means something else if it is left out than if it is null: null empties the column."""


def given_or(value: Any, otherwise: Any) -> Any:  # noqa: ANN401 - the value of any field
    """Return the value of a field, or `otherwise` if it was left out."""
    return otherwise if value is NOT_GIVEN else value
