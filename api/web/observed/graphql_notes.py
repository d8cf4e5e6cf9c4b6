"""What the log line of a GraphQL request has of it: no value of a variable, and no text of the document."""

from api.access.principal import Principal
from api.graph.reading.document_cache import ValidatedDocument
from api.graph.reading.variables import Operation
from api.plan.cost.price import Price
from api.telemetry.request_record import CURRENT, row_count

_LONGEST_NAME = 100


def note_principal(who: Principal) -> None:
    """Note who is served, by kind and id."""
    record = CURRENT.get()
    if record is not None:
        record.note_principal(who.subject)


def note_operation(operation: Operation, validated: ValidatedDocument) -> None:
    """Note the operation. Its name is that of the document, which is a plain word."""
    record = CURRENT.get()
    if record is None:
        return
    name = operation.node.name
    record.operation_kind = operation.node.operation.value
    record.operation = name.value[:_LONGEST_NAME] if name else None
    record.document_hash = validated.text_hash


def note_price(price: Price) -> None:
    """Note the cost of a request, if it reads anything. The request may be refused for it."""
    record = CURRENT.get()
    if record is not None and price.work:
        record.cost = price.cost


def note_rows(data: bytes) -> None:
    """Note about how many records the data of a response have."""
    record = CURRENT.get()
    if record is not None:
        record.rows = row_count(data)


def current_request_id() -> str | None:
    """The id of the request, as the audit has it of what a mutation wrote."""
    record = CURRENT.get()
    return None if record is None else record.id
