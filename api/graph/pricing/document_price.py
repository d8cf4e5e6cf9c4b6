"""The price of an operation: the work of what its root fields read, and of the KPIs that they compute."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from graphql import FieldNode, GraphQLError, OperationDefinitionNode, OperationType

from api.access.principal import Principal
from api.errors import AccordError, ErrorCode
from api.graph.kpis.answer_ids import parse_answer_id
from api.graph.kpis.kpi_inputs import MAX_KPI_REQUESTS
from api.graph.kpis.kpi_requests import read_funnel, read_kpi
from api.graph.pricing.kept_statistics import CostStatistics
from api.graph.reading.page_value import read_page_size
from api.graph.reading.planned import PlannedDocument
from api.graph.viewer_fields import VIEWER
from api.identity.ids import is_answer_id
from api.metrics.pricing.kpi_work import CONTEXT, KpiWork
from api.metrics.request import KpiRequest
from api.plan.cost.price import Price
from api.plan.cost.response_records import response_records
from api.plan.cost.selection_work import read_work
from api.plan.selection import OneRecord, RootField

_CHANGE = 200.0  # an event, and the record that it is about
_INTROSPECTION = {"__schema": 2_000_000.0, "__type": 10_000.0}  # by the executor
_COMMAND, _COMMAND_ROW = 50_000.0, 5_000.0  # a mutation, and each row of a bulk one
_ANY = UUID(int=0)
_RECORDS = "records"  # the field with the records behind a figure
_FIGURES = frozenset({"breakdown", "series"})
_USUAL_FIGURES = 10  # of a breakdown or a series whose records are selected


def document_price(
    planned: PlannedDocument, operation: OperationDefinitionNode, statistics: CostStatistics, principal: Principal
) -> Price:
    """Return the price of an operation with its variables.

    Shapes: what its root fields read, its syntax tree, the statistics of the database -> a price.
    Units:  those of `api.plan.cost.price`. What reads no rows to speak of, such as `kpiCatalogue`, has no work.
    Errors: TOO_LARGE for more than `MAX_KPI_REQUESTS` KPI requests. What is not valid costs little: it is not run.
    """
    roots = planned.roots
    work = read_work(roots, statistics.sizes) if roots else 0.0
    root_type = planned.collector.schema.get_root_type(operation.operation)
    if root_type is None:
        return Price(work)
    try:
        fields = planned.collector.collect_from((operation.selection_set,), root_type.name)
    except GraphQLError:
        return Price(work)
    context = statistics.context
    kpis = KpiWork(statistics.sizes, None if context is None else replace(context, principal=principal))
    requests = 0
    for key, nodes in fields.items():
        if planned.fields.get(key) is not None:
            continue
        if nodes[0].name.value.startswith("__"):
            work += _INTROSPECTION.get(nodes[0].name.value, 0.0)
            continue
        try:
            arguments = planned.collector.arguments(root_type.name, nodes[0])
        except GraphQLError:
            continue
        if operation.operation is OperationType.MUTATION:
            work += _COMMAND + _COMMAND_ROW * _rows_in(arguments)
            continue
        requests += _requests_in(nodes[0].name.value, arguments)
        if requests > MAX_KPI_REQUESTS:
            raise _too_many_requests()
        work += _field_work(planned, kpis, principal, nodes, arguments)
    return Price(work, response_records(roots))


def _requests_in(field: str, arguments: Mapping[str, Any]) -> int:
    return len(arguments["requests"]) if field == "kpis" else int(field == "kpi")


def _field_work(
    planned: PlannedDocument,
    kpis: KpiWork,
    principal: Principal,
    nodes: Sequence[FieldNode],
    arguments: Mapping[str, Any],
) -> float:
    """Return the work of a root field that reads no records."""
    try:
        match nodes[0].name.value:
            case "kpi":
                work = kpis.of_kpi(read_kpi(arguments))
            case "kpis":
                work = sum(_kpi_work(kpis, given) for given in arguments["requests"])
            case "funnel":
                work = kpis.of_funnel(read_funnel(arguments))
            case "revenuePlan":
                return CONTEXT + kpis.of_plan(arguments.get("asOf"))
            case "revenueVariance":
                return CONTEXT + kpis.of_variance(arguments.get("asOf"))
            case "accordPreview":
                return kpis.of_preview()
            case "node" if is_answer_id(str(arguments["id"])):
                request = parse_answer_id(str(arguments["id"]), planned.collector.schema)
                work = kpis.of_kpi(request) if isinstance(request, KpiRequest) else kpis.of_funnel(request)
            case "viewer" if principal.member_id is not None:
                return _member_work(planned, kpis, nodes)
            case "changes":
                return _CHANGE * read_page_size("changes", arguments)
            case _:
                return 0.0
    except AccordError:
        return 0.0
    return CONTEXT + work * (1 + sum(_record_lists(planned, nodes)))


def _member_work(planned: PlannedDocument, kpis: KpiWork, nodes: Sequence[FieldNode]) -> float:
    """Return the work of what is selected of the member behind a request."""
    found = planned.planned(nodes, VIEWER).values()
    roots = [RootField("member", OneRecord(of.table, _ANY, of.fields)) for of in found]
    return read_work(roots, kpis.sizes) if roots else 0.0


def _kpi_work(kpis: KpiWork, given: Mapping[str, Any]) -> float:
    try:
        return kpis.of_kpi(read_kpi(given))
    except AccordError:
        return 0.0


def _record_lists(planned: PlannedDocument, nodes: Sequence[FieldNode], times: int = 1) -> Iterator[int]:
    """Yield how many lists of records each field `records` of an answer stands for: each counts the rows again."""
    for node in nodes:
        for inner in _selected(planned, node):
            name = inner.name.value
            if name == _RECORDS:
                yield times
            else:
                yield from _record_lists(planned, (inner,), times * (_USUAL_FIGURES if name in _FIGURES else 1))


def _selected(planned: PlannedDocument, node: FieldNode) -> Iterator[FieldNode]:
    """Yield the fields selected on a value, with fragments expanded, whatever its type."""
    waiting = list(node.selection_set.selections) if node.selection_set else []
    while waiting:
        found = waiting.pop()
        if isinstance(found, FieldNode):
            yield found
        elif hasattr(found, "selection_set"):
            waiting += found.selection_set.selections
        else:
            waiting += planned.collector.fragments[found.name.value].selection_set.selections  # type: ignore[attr-defined]


def _rows_in(given: object) -> int:
    """Return the number of rows of a mutation's input."""
    if isinstance(given, Mapping):
        return sum(map(_rows_in, given.values()))
    return len(given) if isinstance(given, list | tuple) else 0


def _too_many_requests() -> AccordError:
    message = f"The request has more than {MAX_KPI_REQUESTS} KPI requests."
    return AccordError(ErrorCode.TOO_LARGE, message, "Split them among several requests.")
