"""The contract: every type and root field put together into the one schema, and its SDL."""

from collections.abc import Iterator, Mapping
from functools import cache

import strawberry
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from api.graph.accord.accord_fields import Accord, agreement_fields
from api.graph.derived.model_types import answer_types
from api.graph.declared import Declared, ObjectType, by_name
from api.graph.kpis.drill_down import DRILLED, drill_types, records_field
from api.graph.gateway import Gateway
from api.graph.kpis.kpi_fields import Kpi, question_fields
from api.graph.kpis.kpi_inputs import question_types
from api.graph.record_fields import record_fields
from api.graph.derived.record_types import record_types
from api.graph.derived.scalars import SCALARS
from api.graph.strawberry_types import Types, use_resolvers
from api.metrics.answer import BreakdownKey, FunnelAnswer, KpiAnswer

# Fields of answers whose GraphQL type is narrower than the text they are in Python.
_SPECIAL = {(KpiAnswer, "key"): "KpiKey", (Kpi, "key"): "KpiKey", (Kpi, "guard"): "KpiKey", (BreakdownKey, "id"): "ID"}


class _Prepared(SchemaExtension):
    """Hands over the document that was parsed and validated before."""

    def on_parse(self) -> Iterator[None]:
        """Say the document."""
        self.execution_context.graphql_document = self.execution_context.context.document
        yield

    def on_validate(self) -> Iterator[None]:
        """Say that nothing is wrong with it."""
        self.execution_context.pre_execution_errors = []
        yield


class Contract(strawberry.Schema):
    """Accord's schema. Errors are told and logged at the edge, where it is known who asked."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Leave logging to the edge."""


@cache
def build_schema() -> strawberry.Schema:
    """The schema that is served; made once, for it never changes."""
    return _built()[0]


@cache
def gateway() -> Gateway:
    """The way of every question into the schema."""
    return Gateway(*_built())


@cache
def _built() -> tuple[strawberry.Schema, Mapping[str, Declared]]:
    declared: dict[str, Declared] = {}
    fields = (*question_fields(declared), *agreement_fields(), *record_fields())
    root = ObjectType("Query", "What can be asked.", fields)
    answers = answer_types((KpiAnswer, FunnelAnswer, Kpi, Accord), _SPECIAL, dict.fromkeys(DRILLED, (records_field(),)))
    declared.update(by_name((*SCALARS, *record_types(), *question_types(), *answers, *drill_types(), root)))
    types = Types(declared)
    schema = Contract(
        query=types["Query"],
        types=[types[each.name] for each in declared.values() if isinstance(each, ObjectType) and each is not root],
        config=StrawberryConfig(auto_camel_case=False, scalar_map=types.scalars),
        extensions=[_Prepared],
    )
    use_resolvers(schema._schema)  # noqa: SLF001 - Strawberry has no public way to the schema it builds
    return schema, declared


def sdl() -> str:
    """The contract as SDL, as it is committed."""
    return build_schema().as_str() + "\n"
