"""The root fields `kpi`, `kpis`, `funnel` and `kpiCatalogue`, and how their types are derived."""

from typing import Any

from api.errors import AccordError
from api.graph.context import Info
from api.graph.declared import Input, Output, TypeRef
from api.graph.derived.model_types import Derivation
from api.graph.derived.record_types import NODE
from api.graph.kpis.answer_ids import answer_id, parse_answer_id
from api.graph.kpis.drill_down import read_records, records_fields
from api.graph.kpis.example_documents import example_document
from api.graph.kpis.kpi_inputs import FUNNEL_ARGUMENTS, KPI_ARGUMENTS, MAX_KPI_REQUESTS
from api.graph.kpis.kpi_requests import read_funnel, read_kpi
from api.metrics.answer import BreakdownKey, ContactPressure, KpiAnswer
from api.metrics.funnels.funnel_answer import FunnelAnswer
from api.metrics.query import query_funnel, query_kpis
from api.metrics.readings.reading_contexts import prepare_requests
from api.metrics.request import KpiRequest
from schema.kpis import CATALOGUE
from schema.kpis.dimensions import DimensionMeaning, meanings
from schema.kpis.kpi import Kpi
from schema.kpis.switchboard import SwitchDefault

KPI_ROOTS = (KpiAnswer, FunnelAnswer, Kpi, SwitchDefault, ContactPressure)


def kpi_fields() -> tuple[Output, ...]:
    """Return the root fields about KPIs."""
    requests = Input(
        "requests",
        f"The requests, at most {MAX_KPI_REQUESTS} in one GraphQL request. The results are in the same order.",
        TypeRef("KpiRequest").required.listed.required,
    )
    results = TypeRef("KpiAnswer", is_required=True, is_list=True, has_required_items=False)
    return (
        Output("kpi", "The result of one KPI request.", TypeRef("KpiAnswer"), _kpi, KPI_ARGUMENTS),
        Output(
            "kpis",
            "The results of several KPI requests, from one snapshot. A request that fails leaves the others unaffected:"
            " its result is null, with an error.",
            results,
            _kpis,
            (requests,),
        ),
        Output(
            "funnel",
            "How far the people got who entered the first stage in the period.",
            TypeRef("FunnelAnswer"),
            _funnel,
            FUNNEL_ARGUMENTS,
        ),
        Output("kpiCatalogue", "All KPIs.", TypeRef("Kpi").required.listed.required, _catalogue),
    )


async def _kpi(_source: object, info: Info, **arguments: Any) -> KpiAnswer:  # noqa: ANN401 - coerced inputs
    request = read_kpi(arguments)
    await prepare_requests(info.context.database, [request])
    async with info.context.snapshot() as session:
        (result,) = await query_kpis(session, info.context.principal, [request])
        if isinstance(result, AccordError):
            raise result
        await read_records(session, info, [((str(info.path.key),), result)])
    return result


async def _kpis(_source: object, info: Info, *, requests: list[dict[str, Any]]) -> list[KpiAnswer | AccordError]:
    read = [_request_or_error(given) for given in requests]
    valid = [request for request in read if isinstance(request, KpiRequest)]
    await prepare_requests(info.context.database, valid)
    async with info.context.snapshot() as session:
        found = iter(await query_kpis(session, info.context.principal, valid))
        # The executor turns an error in a list into null in its place, and an error with its path.
        results = [next(found) if isinstance(request, KpiRequest) else request for request in read]
        placed = (((str(info.path.key), place), result) for place, result in enumerate(results))
        await read_records(session, info, [item for item in placed if isinstance(item[1], KpiAnswer)])
    return results


def _request_or_error(given: dict[str, Any]) -> KpiRequest | AccordError:
    try:
        return read_kpi(given)
    except AccordError as error:
        return error


async def _funnel(_source: object, info: Info, **arguments: Any) -> FunnelAnswer:  # noqa: ANN401 - coerced inputs
    request = read_funnel(arguments)
    await prepare_requests(info.context.database, [request])
    async with info.context.snapshot() as session:
        result = await query_funnel(session, info.context.principal, request)
        await read_records(session, info, [((str(info.path.key),), result)])
    return result


async def read_answer(info: Info, id_: str) -> KpiAnswer | FunnelAnswer:
    """Return the answer that an id names, computed anew, within the caller's reach. Errors: those of the request."""
    request = parse_answer_id(id_, info.schema)
    principal = info.context.principal
    await prepare_requests(info.context.database, [request])
    async with info.context.snapshot() as session:
        result: KpiAnswer | FunnelAnswer | AccordError
        if isinstance(request, KpiRequest):
            (result,) = await query_kpis(session, principal, [request])
        else:
            result = await query_funnel(session, principal, request)
        if isinstance(result, AccordError):
            raise result
        await read_records(session, info, [((str(info.path.key),), result)], type(result).__name__)
    return result


def _catalogue(_source: object, _info: Info) -> list[Kpi]:
    return list(CATALOGUE.values())


_DIMENSIONS = Output(
    "dimensions",
    "The dimensions that it can be broken down and filtered by, and what they mean for it.",
    TypeRef(DimensionMeaning.__graphql_name__).required.listed.required,
    lambda kpi, _info: meanings(kpi.subject, kpi.dimensions),
)

_SWITCHES = Output(
    "switches",
    "The switches that the KPI has, with their defaults.",
    TypeRef(SwitchDefault.__graphql_name__).required.listed.required,
    lambda kpi, _info: kpi.switches.defaults,
)
_EXAMPLE = Output(
    "example",
    "A GraphQL document that requests the KPI for the last whole quarter, by month and by one of its dimensions. Its"
    " stages are those of the standard accord.",
    TypeRef("String").required,
    lambda kpi, _info: example_document(kpi),
)


def _additions(model: type) -> tuple[Output, ...]:
    if model in (KpiAnswer, FunnelAnswer):
        doc = (
            "The id of the answer, made of its request: with it `node` computes the answer anew. Requests that mean the"
            " same have the same id."
        )
        id_ = Output("id", doc, TypeRef("ID").required, lambda answer, _info: answer_id(answer.request))
        return (id_, *records_fields(model))
    if model is Kpi:
        return (_DIMENSIONS, _SWITCHES, _EXAMPLE)
    return records_fields(model)


KPI_DERIVATION = Derivation(
    types={(KpiAnswer, "key"): "KpiKey", (Kpi, "key"): "KpiKey", (Kpi, "guard"): "KpiKey", (BreakdownKey, "id"): "ID"},
    properties={Kpi: ("definition", "kind", "reads", "accord_clauses")},
    additions=_additions,
    interfaces={KpiAnswer: (NODE,), FunnelAnswer: (NODE,)},
)
