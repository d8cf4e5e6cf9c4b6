"""The contract: all types and root fields, assembled into one schema, and its SDL."""

from collections.abc import Iterator, Mapping
from functools import cache

import strawberry
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from api.graph.accord.accord_fields import accord_fields
from api.graph.accord.accord_types import DOCUMENT_TYPES
from api.graph.accord.diff_field import DIFF_TYPES
from api.graph.accord.preview_fields import preview_fields, preview_types
from api.graph.accord.version_connection import CONNECTION_TYPES
from api.graph.accord.version_types import VERSION_TYPES
from api.graph.changes.change_fields import CHANGE_TYPES, change_fields
from api.graph.declared import Declared, ObjectType, registry
from api.graph.derived.duplicate_types import duplicate_types
from api.graph.derived.float_fields import with_float_fields
from api.graph.derived.model_types import model_types
from api.graph.derived.record_types import record_types
from api.graph.derived.scalars import SCALARS
from api.graph.derived.search_types import search_types
from api.graph.duplicate_fields import duplicate_fields
from api.graph.gateway import Gateway
from api.graph.kpis.drill_down import DRILL_DOWN_TYPES
from api.graph.kpis.filter_text import read_filter_text
from api.graph.kpis.kpi_fields import KPI_ROOTS, kpi_fields
from api.graph.kpis.kpi_inputs import KPI_INPUT_TYPES
from api.graph.kpis.record_order_types import RECORD_ORDER_TYPES
from api.graph.mutations.import_mutations import IMPORT_TYPES
from api.graph.mutations.mutation_fields import MUTATION, mutation_types
from api.graph.person_report_field import person_report_fields
from api.graph.planning.plan_fields import PLAN_DERIVATION, PLAN_INPUT_TYPES, PLAN_ROOTS, plan_fields
from api.graph.record_fields import record_fields
from api.graph.strawberry_types import Types, use_resolvers
from api.graph.viewer_fields import VIEWER_TYPE, viewer_fields
from api.metrics.request import Where

QUERY = "Query"
DESCRIPTION = """\
Accord: the contacts, companies, campaigns, touchpoints and deals that sales and marketing share, and the funnel and the
KPIs computed from them by one agreement on the stages (the accord).

- Ids are opaque and unique across all types (`Node`). Take them from `id`, and pass them unchanged.
- Lists are connections: `first` and `after`, or `last` and `before`, with the cursors of `PageInfo`. A cursor belongs
  to one order and one filter.
- `asOf` reads what was known at an instant: an argument of root fields for records, a switch of `KpiSwitches` for KPIs.
- Personal data of contacts (names, e-mail addresses, telephone numbers, notes) needs the right PERSONAL_DATA. Without
  it, such fields are null, and `extensions.redacted` of the response lists each of them once, as `Contact.email`. To
  filter, sort, group, aggregate or search by them is an error (NOT_ALLOWED).
- `extensions.readings` of the response lists the readings that lists of stage entries name, and when their entries were
  evaluated (`evaluatedAt`); null means that they follow every write. `extensions.warnings` has warnings of lists.
- Errors have `extensions.code`, which stays the same when a message is reworded. Warnings of KPIs have an
  `AnswerWarningCode`.
- Numbers with decimals (`Decimal`) are strings, so that no digit is lost. Beside each, a `…Float` field has the nearest
  number, for charts. Instants (`DateTime`) are in UTC. Lengths of time (`Duration`) are ISO 8601, such as P30D."""


class _PassDocument(SchemaExtension):
    """Passes the document that the gateway has parsed and validated to the executor."""

    def on_parse(self) -> Iterator[None]:
        """Set the parsed document."""
        self.execution_context.graphql_document = self.execution_context.context.syntax_tree
        yield

    def on_validate(self) -> Iterator[None]:
        """Set that there are no validation errors."""
        self.execution_context.pre_execution_errors = []
        yield


class Contract(strawberry.Schema):
    """Accord's schema. The HTTP edge logs errors, because it knows the caller."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Leave logging to the HTTP edge."""


@cache
def build_schema() -> strawberry.Schema:
    """Return the schema. It is built once."""
    return _built()[0]


@cache
def gateway() -> Gateway:
    """Return the gateway to the schema. It is built once."""
    return Gateway(*_built())


def read_filter(text: str) -> Where:
    """Return the filter of a KPI that a text has, as JSON in the form of the argument `where`.

    Errors: BAD_INPUT for another text, with the place in it; those of the argument.
    """
    return read_filter_text(text, build_schema()._schema)  # noqa: SLF001 - as below


def registered_types() -> Mapping[str, Declared]:
    """Return every type of the contract by name. A new type has to be added here."""
    root_fields = (
        *viewer_fields(),
        *person_report_fields(),
        *kpi_fields(),
        *plan_fields(),
        *accord_fields(),
        *preview_fields(),
        *record_fields(),
        *duplicate_fields(),
        *change_fields(),
    )
    types = (
        *SCALARS,
        *record_types(),
        *search_types(),
        *duplicate_types(),
        *KPI_INPUT_TYPES,
        *RECORD_ORDER_TYPES,
        *PLAN_INPUT_TYPES,
        *model_types((*KPI_ROOTS, *PLAN_ROOTS), PLAN_DERIVATION),
        *DOCUMENT_TYPES,
        *VERSION_TYPES,
        *CONNECTION_TYPES,
        *preview_types(),
        *DIFF_TYPES,
        *DRILL_DOWN_TYPES,
        VIEWER_TYPE,
        *CHANGE_TYPES,
        *IMPORT_TYPES,
        ObjectType(QUERY, "All queries.", root_fields),
        *mutation_types(),
    )
    return registry(map(with_float_fields, types))


@cache
def _built() -> tuple[strawberry.Schema, Mapping[str, Declared]]:
    declared = registered_types()
    types = Types(declared)
    objects = [
        type_.name
        for type_ in declared.values()
        if isinstance(type_, ObjectType) and type_.name not in (QUERY, MUTATION)
    ]
    schema = Contract(
        query=types[QUERY],
        mutation=types[MUTATION],
        types=[types[name] for name in objects],
        config=StrawberryConfig(auto_camel_case=False, scalar_map=types.scalars),
        extensions=[_PassDocument],
    )
    schema._schema.description = DESCRIPTION  # noqa: SLF001 - as below
    use_resolvers(schema._schema)  # noqa: SLF001 - Strawberry has no public access to its schema
    return schema, declared


def sdl() -> str:
    """Return the contract as SDL, as it is committed."""
    # Strawberry prints neither the description nor a definition whose root type has the usual name.
    roots = f"  query: {QUERY}\n  mutation: {MUTATION}"
    return f'"""\n{DESCRIPTION}\n"""\nschema {{\n{roots}\n}}\n\n{build_schema().as_str()}\n'
