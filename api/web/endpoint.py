"""The GraphQL endpoint: one request, one execution, one answer with the status the specification gives it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
from graphql import GraphQLError, OperationType
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.access.principal import Principal
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.explanation import explanation_sections
from api.graph.gateway import ExecutedResult, Gateway, JsonResult
from api.graph.reading.document_cache import ValidatedDocument
from api.graph.request import GraphQLRequest
from api.web.error_responses import error_entry, failed, is_request_error
from api.web.media_types import MediaType, negotiate, wants_page
from api.web.pages import graphiql_page
from api.web.responses import GraphQLResponse, RefusalError, refused
from api.web.requests import Headers, in_address, posted

EXPLAIN, _WAYS = b"accord-explain", (b"plan", b"analyze")

Asker = Callable[[Scope], tuple[Database, Principal]]


class GraphQLEndpoint:
    """An ASGI application over a gateway; `asker_of` tells of each request which database it asks, and who.

    Where it `explains`, the header `Accord-Explain: plan` (or `analyze`) adds to the answer how it came about.
    """

    def __init__(self, gateway: Gateway, asker_of: Asker, *, explains: bool = False) -> None:
        self._gateway = gateway
        self._asker_of = asker_of
        self._explains = explains

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        try:
            response = await self._respond(scope, receive)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller is answered, and the log has it
            response = failed(error, scope)
        await response(scope, receive, send)

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        headers: Headers = dict(scope["headers"])
        accept = headers.get(b"accept")
        if scope["method"] in ("GET", "HEAD") and wants_page(accept):
            request = Request(scope)
            if "query" not in request.query_params:
                return graphiql_page(request)
        media_type = negotiate(accept)
        if media_type is None:
            remedy = f"Accept {' or '.join(MediaType)}."
            return refused(RefusalError(406, "None of the types in `Accept` is spoken here.", remedy))
        try:
            question = await posted(headers, receive) if scope["method"] == "POST" else _in_address(scope)
            return await self._answer(scope, headers, question, media_type)
        except RefusalError as refusal:
            return refused(refusal, media_type)

    async def _answer(
        self, scope: Scope, headers: Headers, question: GraphQLRequest, media_type: MediaType
    ) -> Response:
        validated = self._gateway.validated(question)
        if validated.errors:
            return _told(validated.errors, media_type)
        _require_allowed(scope["method"], validated, question)
        database, who = self._asker_of(scope)
        try:
            answer = await self._gateway.execute(database, question, validated, who)
        except AccordError as error:
            return _told((GraphQLError(error.message, original_error=error),), media_type)
        wanted = headers.get(EXPLAIN) if self._explains else None
        if wanted in _WAYS:
            told = await explanation_sections(
                database, self._gateway.explain(question, validated, who), is_run=wanted == b"analyze"
            )
            answer = replace(answer, extensions=answer.extensions | {"explain": dict(told)})
        return _written(answer, media_type) if isinstance(answer, JsonResult) else _executed(answer, media_type)


def _in_address(scope: Scope) -> GraphQLRequest:
    if scope["method"] != "GET":
        raise _method_not_allowed(f"{scope['method']} is not a way to ask.", "GET, POST")
    return in_address(scope)


def _require_allowed(method: str, validated: ValidatedDocument, question: GraphQLRequest) -> None:
    """Refuse an operation that is not clear, or that this way of asking does not run."""
    try:
        kind = validated.operation(question.operation_name).node.operation
    except AccordError as error:
        raise RefusalError(400, error.message, error.remedy) from error
    if kind is OperationType.SUBSCRIPTION:
        raise RefusalError(400, "A subscription has no single answer.", "Ask it as a query.")
    if kind is OperationType.MUTATION and method == "GET":
        raise _method_not_allowed("A GET changes nothing.", "POST")


def _method_not_allowed(message: str, allowed: str) -> RefusalError:
    return RefusalError(405, message, f"Use {allowed.replace(', ', ' or ')}.", headers={"Allow": allowed})


def _written(answer: JsonResult, media_type: MediaType) -> Response:
    told = b',"extensions":' + orjson.dumps(answer.extensions) if answer.extensions else b""
    return GraphQLResponse(b'{"data":%b%b}' % (answer.data, told), 200, media_type)


def _executed(answer: ExecutedResult, media_type: MediaType) -> Response:
    result = answer.result
    errors = result.errors or []
    # Absent and null differ: a request error ran nothing and has no data; an execution error may have nulled all of it.
    if result.data is None and errors and all(is_request_error(error) for error in errors):
        return _told(errors, media_type)
    payload: dict[str, Any] = {"errors": [error_entry(error) for error in errors]} if errors else {}
    payload["data"] = result.data
    if answer.extensions:
        payload["extensions"] = answer.extensions
    return GraphQLResponse(orjson.dumps(payload), 200, media_type)


def _told(errors: Sequence[GraphQLError], media_type: MediaType) -> Response:
    """What is wrong with a request that ran nothing; only the newer media type may tell it by its status."""
    entries = [error_entry(error) for error in errors]
    status = 400 if media_type is MediaType.GRAPHQL else 200
    if any(_code(entry) == ErrorCode.INTERNAL for entry in entries):
        status = 500
    return GraphQLResponse(orjson.dumps({"errors": entries}), status, media_type)


def _code(entry: Mapping[str, Any]) -> object:
    return entry.get("extensions", {}).get("code")
