"""The filter of a KPI as a text: JSON in the form of the argument `where`, for the command line."""

from collections.abc import Sequence

import orjson
from graphql import GraphQLError, GraphQLInputObjectType, GraphQLSchema
from graphql.utilities import coerce_input_value, validate_input_value

from api.errors import AccordError, ErrorCode
from api.graph.kpis.kpi_requests import read_kpi_where
from api.metrics.request import Where

_EXAMPLE = (
    """Write one like '{"contact": {"company": {"employees": {"gt": 100}}}}', as the argument `where` of `kpi`."""
)


def read_filter_text(text: str, schema: GraphQLSchema) -> Where:
    """Return the filter of a text.

    Errors: BAD_INPUT for a text that is no JSON or has what a filter does not have, with its place; those of
            `read_kpi_where`.
    """
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _bad(f"The filter is not JSON: {error}.") from error
    where = schema.type_map["KpiWhere"]
    if not isinstance(where, GraphQLInputObjectType):
        raise TypeError("KpiWhere is no input type")

    def refuse(error: GraphQLError, path: Sequence[str | int]) -> None:
        place = ".".join(map(str, path))
        raise _bad(f"The filter is not valid{f' at {place}' if place else ''}: {error.message}")

    validate_input_value(given, where, refuse)
    if given is None:
        raise _bad("The filter is null.")
    return read_kpi_where(coerce_input_value(given, where))


def _bad(message: str) -> AccordError:
    return AccordError(ErrorCode.BAD_INPUT, message, _EXAMPLE)
