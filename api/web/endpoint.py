"""The GraphQL endpoint: one request, one execution, one answer with the status the specification gives it."""

import re
from collections.abc import Callable
from typing import Any

import strawberry
from graphql import GraphQLError, OperationDefinitionNode, parse
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from api.errors import ErrorCode
from api.web.faults import error_entry, is_request_error
from api.web.media import MediaType, negotiate, wants_page
from api.web.pages import graphiql_page
from api.web.refusals import RefusalError, graphql_response, refused
from api.web.requests import Question, read_question

_ALLOWED = {
    "GET": {OperationType.QUERY},
    "POST": {OperationType.QUERY, OperationType.MUTATION},
}


# A keyword that may begin an operation: with fewer than two of them no document has two operations but `{…} {…}`,
# which GraphQL's own validation refuses.
_OPERATION = re.compile(r"\b(?:query|mutation|subscription)\b")


class GraphQLEndpoint:
    """An ASGI application over a schema; `context_for` makes the value that resolvers get, anew for each request."""

    def __init__(self, schema: strawberry.Schema, context_for: Callable[[Request], object]) -> None:
        self._schema = schema
        self._context_for = context_for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = Request(scope, receive)
        response = await self._respond(request)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        accept = request.headers.get("accept")
        if request.method in ("GET", "HEAD") and "query" not in request.query_params and wants_page(accept):
            return graphiql_page(request)
        media_type = negotiate(accept)
        try:
            if media_type is None:
                raise RefusalError(
                    406, "None of the types in `Accept` is spoken here.", f"Accept {' or '.join(MediaType)}."
                )
            if request.method not in _ALLOWED:
                raise _method_not_allowed(f"{request.method} is not a way to ask.", "GET, POST")
            question = await read_question(request)
            _require_one_operation(question)
            result = await self._execute(request, question)
        except RefusalError as refusal:
            return refused(refusal, media_type or MediaType.JSON)
        return _answer(result, media_type)

    async def _execute(self, request: Request, question: Question) -> ExecutionResult:
        try:
            return await self._schema.execute(
                question.query,
                variable_values=question.variables,
                context_value=self._context_for(request),
                operation_name=question.operation_name,
                allowed_operation_types=_ALLOWED[request.method],
                operation_extensions=question.extensions,
            )
        except CannotGetOperationTypeError as error:
            raise _which_operation(error.operation_name) from error
        except InvalidOperationTypeError as error:
            if error.operation_type is OperationType.MUTATION:
                raise _method_not_allowed("A GET changes nothing.", "POST") from error
            raise RefusalError(400, "A subscription has no single answer.", "Ask it as a query.") from error


def _method_not_allowed(message: str, allowed: str) -> RefusalError:
    return RefusalError(405, message, f"Use {allowed.replace(', ', ' or ')}.", headers={"Allow": allowed})


def _require_one_operation(question: Question) -> None:
    """Refuse several operations of which none is named; the schema would quietly run the first."""
    if question.operation_name or len(_OPERATION.findall(question.query)) < 2:
        return
    try:
        document = parse(question.query, no_location=True)
    except GraphQLError:
        return  # the schema parses it again and says what is wrong and where
    if sum(isinstance(definition, OperationDefinitionNode) for definition in document.definitions) > 1:
        raise _which_operation(None)


def _which_operation(name: str | None) -> RefusalError:
    missing = f"The document has no operation `{name}`." if name else "The document has no operation, or several."
    return RefusalError(400, missing, "Name the one to run with `operationName`.")


def _answer(result: ExecutionResult, media_type: MediaType) -> Response:
    errors = result.errors or []
    payload: dict[str, Any] = {}
    if errors:
        payload["errors"] = [error_entry(error) for error in errors]
    # Absent and null differ: a request error ran nothing and has no data; an execution error may have nulled all of it.
    before_execution = result.data is None and bool(errors) and all(is_request_error(error) for error in errors)
    if not before_execution:
        payload["data"] = result.data
    if result.extensions:
        payload["extensions"] = result.extensions
    return graphql_response(payload, _status(payload, media_type), media_type)


def _status(payload: dict[str, Any], media_type: MediaType) -> int:
    """200 for whatever ran; of what did not run, only the newer media type may tell by its status."""
    if "data" in payload:
        return 200
    if any(entry.get("extensions", {}).get("code") == ErrorCode.INTERNAL for entry in payload["errors"]):
        return 500
    return 400 if media_type is MediaType.GRAPHQL else 200
