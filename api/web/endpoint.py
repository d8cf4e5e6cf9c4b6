"""The GraphQL endpoint, as the GraphQL-over-HTTP specification defines it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
from graphql import GraphQLError, OperationType
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.access.principal import Principal
from api.errors import AccordError, ErrorCode, RetryLaterError
from api.graph.explanation import explanation_sections
from api.graph.gateway import ExecutedResult, Gateway, JsonResult
from api.graph.reading.document_cache import ValidatedDocument
from api.graph.request import GraphQLRequest
from api.plan.cost.price import Price
from api.traffic.deadline import ClientLeft
from api.traffic.rate_limit import RateLimitedError
from api.traffic.traffic import Traffic
from api.web.database_provider import DatabaseProvider
from api.web.error_responses import (
    balance_headers,
    failure_response,
    graphql_error_entry,
    is_request_error,
    unavailable_response,
    unexecuted_response,
)
from api.web.identification import Identify
from api.web.media_types import MediaType, negotiate, wants_page
from api.web.observed.graphql_notes import current_request_id, note_cost, note_operation, note_principal, note_result
from api.web.pages import PageHandler
from api.web.persisted_queries import PersistedQueries
from api.web.requests import Headers, read_get, read_post
from api.web.responses import GraphQLResponse, HttpError, http_error_response

EXPLAIN_HEADER, _EXPLAIN_MODES = b"accord-explain", (b"plan", b"analyze")


class GraphQLEndpoint:
    """An ASGI application that executes GraphQL requests through a gateway.

    `page` responds to a browser that sends no query. `traffic` limits how much runs at once, and for how long. With
    `explains`, the header `Accord-Explain: plan` (or `analyze`) adds the execution plan to the response.
    """

    def __init__(
        self,
        gateway: Gateway,
        database_of: DatabaseProvider,
        identify: Identify,
        *,
        page: PageHandler,
        traffic: Traffic | None = None,
        explains: bool = False,
    ) -> None:
        self._gateway = gateway
        self._database_of = database_of
        self._identify = identify
        self._page = page
        self._traffic = traffic or Traffic()
        self._explains = explains
        self._persisted_queries = PersistedQueries()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request."""
        try:
            response = await self._respond(scope, receive)
        except ClientLeft:
            return  # nobody reads a response
        except Exception as error:  # noqa: BLE001 - any exception becomes a response; bugs are logged
            response = failure_response(error, scope)
        await response(scope, receive, send)

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        headers: Headers = dict(scope["headers"])
        accept = headers.get(b"accept")
        if scope["method"] in ("GET", "HEAD") and wants_page(accept):
            http_request = Request(scope)
            if not {"query", "extensions"} & set(http_request.query_params):
                return await self._page(http_request)
        media_type = negotiate(accept)
        if media_type is None:
            remedy = f"Accept {' or '.join(MediaType)}."
            message = "`Accept` has no media type that the server supports."
            return http_error_response(HttpError(406, message, remedy, code=ErrorCode.NOT_ACCEPTABLE))
        try:
            # Before the body is read and parsed: a caller that is rejected costs nothing more.
            who = await self._identify(scope)
            note_principal(who)
            request = await read_post(headers, receive) if scope["method"] == "POST" else _read_get(scope)
            return await self._execute(scope["method"], headers, receive, request, who, media_type)
        except HttpError as error:
            return http_error_response(error, media_type)
        except ClientLeft:
            raise
        except Exception as error:  # noqa: BLE001 - any exception becomes a response; bugs are logged
            return failure_response(error, scope, media_type)

    async def _execute(
        self,
        method: str,
        headers: Headers,
        receive: Receive,
        request: GraphQLRequest,
        who: Principal,
        media_type: MediaType,
    ) -> Response:
        if request.query_hash is not None:
            request = self._persisted_queries.with_document(request)
        validated = self._gateway.validated(request)
        if validated.errors:
            return _request_error_response(validated.errors, media_type, ErrorCode.GRAPHQL_VALIDATION_FAILED)
        if request.query_hash is not None:
            self._persisted_queries.keep(request)
        kind = _executable_kind(method, validated, request)
        note_operation(request, validated)
        if kind is OperationType.MUTATION:
            request = replace(request, request_id=current_request_id())
        mode = headers.get(EXPLAIN_HEADER) if self._explains else None
        limit, balance = self._traffic.rate_limit, None
        try:
            price = await self._price(request, validated, who, kind)
            cost = price.cost
            if limit is not None:
                balance = limit.pay(who.subject, cost)
            lane = self._traffic.lanes.of_request(cost, is_mutation=kind is OperationType.MUTATION)
            try:
                with self._traffic.running(receive):
                    async with lane:
                        result = await self._run(request, validated, who, mode, price)
            except RetryLaterError:
                if limit is not None:
                    balance = limit.give_back(who.subject, cost)
                raise
        except AccordError as error:
            refusal = unexecuted_response(error, media_type)
            failure = (GraphQLError(error.message, original_error=error),)
            response = refusal or _request_error_response(failure, media_type)
            balance = error.balance if isinstance(error, RateLimitedError) else balance
        else:
            if isinstance(result, JsonResult):
                response = _json_response(result, media_type)
            else:
                response = _execution_response(result, media_type)
            note_result(response)
        if balance is not None:
            response.raw_headers += balance_headers(balance)
        return response

    async def _price(
        self, request: GraphQLRequest, validated: ValidatedDocument, who: Principal, kind: OperationType
    ) -> Price:
        """The price of a request. A query over the limit is refused before it pays. Errors: TOO_LARGE."""
        price = await self._gateway.price(self._database_of(), request, validated, who)
        note_cost(price.cost)
        if kind is OperationType.QUERY:
            price.require_affordable()
        return price

    async def _run(
        self, request: GraphQLRequest, validated: ValidatedDocument, who: Principal, mode: bytes | None, price: Price
    ) -> JsonResult | ExecutedResult:
        database = self._database_of()
        if mode not in _EXPLAIN_MODES:
            return await self._gateway.execute(database, request, validated, who)
        explanation = self._gateway.explain(request, validated, who)
        result = await self._gateway.execute(database, request, validated, who)
        plan = await explanation_sections(database, explanation, price, is_run=mode == b"analyze")
        return replace(result, extensions=result.extensions | {"explain": dict(plan)})


def _read_get(scope: Scope) -> GraphQLRequest:
    if scope["method"] != "GET":
        raise _method_not_allowed(f"The GraphQL endpoint does not support {scope['method']}.", "GET, POST")
    return read_get(scope)


def _executable_kind(method: str, validated: ValidatedDocument, request: GraphQLRequest) -> OperationType:
    """Return the kind of the operation; reject an ambiguous one, and one that this method cannot execute."""
    try:
        kind = validated.operation(request.operation_name).node.operation
    except AccordError as error:
        raise HttpError(400, error.message, error.remedy, code=error.code) from error
    if kind is OperationType.SUBSCRIPTION:
        message = "This endpoint does not execute subscriptions."
        raise HttpError(400, message, "Send a query.", code=ErrorCode.OPERATION_RESOLUTION_FAILURE)
    if kind is OperationType.MUTATION and method == "GET":
        raise _method_not_allowed("A mutation cannot be sent with GET.", "POST")
    return kind


def _method_not_allowed(message: str, allowed: str) -> HttpError:
    remedy = f"Use {allowed.replace(', ', ' or ')}."
    return HttpError(405, message, remedy, code=ErrorCode.METHOD_NOT_ALLOWED, headers={"Allow": allowed})


def _json_response(result: JsonResult, media_type: MediaType) -> Response:
    """A response around `data` that is JSON already: the bytes are copied, not parsed."""
    entries = list(map(graphql_error_entry, result.errors))
    if entries and result.is_untouched and (response := unavailable_response(entries, media_type)) is not None:
        return response
    errors = b'"errors":%b,' % orjson.dumps(entries) if entries else b""
    extensions = b',"extensions":' + orjson.dumps(result.extensions) if result.extensions else b""
    body = b'{%b"data":%b%b}' % (errors, result.data, extensions)
    return GraphQLResponse(body, 200, media_type, is_secret=result.is_secret)


def _execution_response(executed: ExecutedResult, media_type: MediaType) -> Response:
    result = executed.result
    errors = result.errors or []
    # Without `data` nothing was executed (a request error); `data: null` is the result of an execution error.
    if result.data is None and errors and all(is_request_error(error) for error in errors):
        return _request_error_response(errors, media_type)
    entries = [graphql_error_entry(error) for error in errors]
    is_any_done = any(value is not None for value in (result.data or {}).values())
    if entries and not is_any_done and (response := unavailable_response(entries, media_type)) is not None:
        return response
    payload: dict[str, Any] = {"errors": entries} if entries else {}
    payload["data"] = result.data
    if executed.extensions:
        payload["extensions"] = executed.extensions
    return GraphQLResponse(orjson.dumps(payload), 200, media_type)


def _request_error_response(
    errors: Sequence[GraphQLError], media_type: MediaType, code: ErrorCode = ErrorCode.BAD_INPUT
) -> Response:
    """The response to a request that was not executed. `code` is that of errors of GraphQL itself.

    The specification has status 400 for the newer media type only; with `application/json` it is 200.
    """
    entries = [graphql_error_entry(error, code) for error in errors]
    if (response := unavailable_response(entries, media_type)) is not None:
        return response
    status = 400 if media_type is MediaType.GRAPHQL else 200
    if any(_code(entry) == ErrorCode.INTERNAL for entry in entries):
        status = 500
    return GraphQLResponse(orjson.dumps({"errors": entries}), status, media_type)


def _code(entry: Mapping[str, Any]) -> object:
    return entry.get("extensions", {}).get("code")
