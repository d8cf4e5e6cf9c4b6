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


def argument(doc: str, *, table: str = "", default: Any = MISSING) -> Any:  # noqa: ANN401 - dataclasses.field is typed so
    """Declare a field of a command: its description, and the table of the record that a `Reference` names.

    A field without a `default` is required.
    """
    return field(default=default, metadata={"doc": doc, "table": table})
