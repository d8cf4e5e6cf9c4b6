"""The id of a KPI's or funnel's answer: its request, so that a client can cache the answer and fetch it again.

An id is a prefix and the arguments of the request, as JSON in base64. Requests that mean the same have the same id,
however they are written; the caller's reach is not part of it. A request that is too long for an id has a digest as its
id, by which the answer is cached and not fetched.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
from graphql import GraphQLArgument, GraphQLError, GraphQLSchema, Undefined, is_required_argument
from graphql.utilities import coerce_input_value

from api.errors import AccordError, ErrorCode
from api.graph.kpis.kpi_requests import read_funnel, read_kpi
from api.graph.kpis.request_inputs import funnel_arguments, kpi_arguments
from api.graph.reading.limits import Usage
from api.identity.ids import FUNNEL_ANSWER, KPI_ANSWER
from api.metrics.request import FunnelRequest, KpiRequest

MAX_ARGUMENTS = 6_000  # bytes of JSON; ids are part of URLs and cache keys
_DIGEST = "sha256."  # no base64 has a dot


def answer_id(request: KpiRequest | FunnelRequest) -> str:
    """Return the id of the answer to a request.

    Shapes: request -> text of at most 8,020 characters.
    """
    if isinstance(request, KpiRequest):
        prefix, arguments = KPI_ANSWER, kpi_arguments(request)
    else:
        prefix, arguments = FUNNEL_ANSWER, funnel_arguments(request)
    text = orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS)
    if len(text) > MAX_ARGUMENTS:
        return f"{prefix}{_DIGEST}{hashlib.sha256(text).hexdigest()}"
    return prefix + base64.urlsafe_b64encode(text).decode().rstrip("=")


def parse_answer_id(id_: str, schema: GraphQLSchema) -> KpiRequest | FunnelRequest:
    """Return the request of an answer's id. Its arguments are validated like those of the root field.

    Errors: BAD_INPUT if it is not the id of an answer, or is that of a request too long to be part of an id; what the
            arguments of `kpi` and `funnel` are refused for.
    """
    is_kpi = id_.startswith(KPI_ANSWER)
    text = id_.removeprefix(KPI_ANSWER if is_kpi else FUNNEL_ANSWER)
    if text.startswith(_DIGEST):
        message = "The request of this answer is too long to be fetched by its id."
        raise AccordError(ErrorCode.BAD_INPUT, message, f"Send it again as `{'kpi' if is_kpi else 'funnel'}`.")
    try:
        if len(text) > MAX_ARGUMENTS * 4 // 3 + 4:
            raise ValueError("longer than any id")
        given = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(given, dict):
            raise TypeError("not the arguments of a field")
        arguments = _coerced(given, schema, "kpi" if is_kpi else "funnel")
    except (binascii.Error, ValueError, TypeError, GraphQLError) as error:
        raise _not_an_answer(id_) from error
    request = read_kpi(arguments) if is_kpi else read_funnel(arguments)
    if answer_id(request) != id_:
        raise _not_an_answer(id_)
    return request


def _coerced(given: Mapping[str, Any], schema: GraphQLSchema, field: str) -> dict[str, Any]:
    """Return the values of a root field's arguments. Errors: those of graphql-core; ValueError for an unknown name."""
    Usage().add_filter("where", given)
    query = schema.query_type
    expected: Mapping[str, GraphQLArgument] = {} if query is None else query.fields[field].args
    if given.keys() - expected.keys():
        raise ValueError("an unknown argument")
    values = {name: coerce_input_value(given[name], expected[name].type) for name in given}
    needed = {name for name, argument in expected.items() if is_required_argument(argument)}
    if needed - values.keys() or Undefined in values.values():
        raise ValueError("an argument without a valid value")
    return values


def _not_an_answer(id_: str) -> AccordError:
    shown = id_ if len(id_) <= 60 else f"{id_[:60]}…"
    remedy = "Take ids from the field `id`, and pass them unchanged."
    return AccordError(ErrorCode.BAD_INPUT, f"'{shown}' is not the id of an answer.", remedy)
