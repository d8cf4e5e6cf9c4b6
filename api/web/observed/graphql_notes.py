"""What the log line of a GraphQL request has of it: no value of a variable, and no text of the document."""

from starlette.responses import Response

from api.access.principal import Principal
from api.graph.reading.document_cache import ValidatedDocument
from api.graph.request import GraphQLRequest
from api.telemetry.request_record import CURRENT, row_count

_LONGEST_NAME = 100


def note_principal(who: Principal) -> None:
    """Note who is served, by kind and id."""
    record = CURRENT.get()
    if record is not None:
        record.note_principal(who.subject)


def note_operation(request: GraphQLRequest, validated: ValidatedDocument) -> None:
    """Note the operation. Its name is that of the document, which is a plain word."""
    record = CURRENT.get()
    if record is None:
        return
    node = validated.operation(request.operation_name).node
    record.operation_kind = node.operation.value
    record.operation = node.name.value[:_LONGEST_NAME] if node.name else None
    record.document_hash = validated.text_hash


def note_cost(cost: int) -> None:
    """Note the cost of a request, which may be refused for it."""
    record = CURRENT.get()
    if record is not None:
        record.cost = cost


def note_result(response: Response) -> None:
    """Note how many rows the answer to a request has."""
    record = CURRENT.get()
    if record is not None:
        record.rows = row_count(bytes(response.body))


def current_request_id() -> str | None:
    """The id of the request, as the audit has it of what a mutation wrote."""
    record = CURRENT.get()
    return None if record is None else record.id
