"""Root fields that answer KPI questions, and the catalogue of what can be asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.errors import AccordError
from api.graph.context import Info
from api.graph.declared import Declared, Input, Output, Resolver, TypeRef
from api.graph.kpis.drill_down import read_records
from api.graph.kpis.kpi_inputs import FUNNEL_ARGUMENTS, KPI_ARGUMENTS, read_funnel, read_kpi
from api.metrics.answer import FunnelAnswer, KpiAnswer, described
from api.metrics.query import query_funnel, query_kpis
from api.metrics.request import KpiRequest
from schema.kpis import CATALOGUE
from schema.kpis.kinds import Kind, Subject
from schema.vocab import Dimension, Unit


@dataclass(frozen=True, kw_only=True)
class Kpi:
    """A KPI of the catalogue: what it means and what may be asked of it."""

    key: str = described("The KPI's key, to ask it by.")
    title: str = described("The KPI's name for a reader.")
    definition: str = described("What it counts, in plain words.")
    kind: Kind = described("How its number is made.")
    unit: Unit = described("What its value measures.")
    subject: Subject = described("What one counted row is.")
    reads: tuple[str, ...] = described("The stages or facts it reads.")
    dimensions: tuple[Dimension, ...] = described("What it can be broken down and filtered by.")
    switches: tuple[str, ...] = described("The switches it has.")
    guard: str | None = described("The KPI to watch beside it, so that the one is not bettered at the other's cost.")
    source: str = described("Where the definition comes from.")


def question_fields(types: Mapping[str, Declared]) -> tuple[Output, ...]:
    """The root fields about KPIs. `types` may still be filled; it is read when a question comes."""
    requests = Input(
        "requests", "The questions; answers come in their order.", TypeRef("KpiRequest").required.listed.required
    )
    answers = TypeRef("KpiAnswer", is_required=True, is_list=True, has_required_items=False)
    catalogue = TypeRef("Kpi").required.listed.required
    return (
        Output("kpi", "The answer to one question about one KPI.", TypeRef("KpiAnswer"), _kpi(types), KPI_ARGUMENTS),
        Output(
            "kpis",
            "Several questions; a bad one leaves the others standing, with null in its place and an error.",
            answers,
            _kpis(types),
            (requests,),
        ),
        Output(
            "funnel",
            "How far the people got who entered the first stage in the period.",
            TypeRef("FunnelAnswer"),
            _funnel(types),
            FUNNEL_ARGUMENTS,
        ),
        Output("kpiCatalogue", "Every KPI that can be asked.", catalogue, _catalogue),
    )


def _kpi(types: Mapping[str, Declared]) -> Resolver:
    async def resolve(_source: object, info: Info, **arguments: Any) -> KpiAnswer:  # noqa: ANN401 - coerced inputs
        request = read_kpi(arguments)
        async with info.context.database.read() as session:
            (answer,) = await query_kpis(session, info.context.who, [request])
            if isinstance(answer, AccordError):
                raise answer
            await read_records(session, info, types, [((str(info.path.key),), answer)])
        return answer

    return resolve


def _kpis(types: Mapping[str, Declared]) -> Resolver:
    async def resolve(_source: object, info: Info, *, requests: list[dict[str, Any]]) -> list[KpiAnswer | AccordError]:
        read = [_read(each) for each in requests]
        good = [each for each in read if isinstance(each, KpiRequest)]
        async with info.context.database.read() as session:
            found = iter(await query_kpis(session, info.context.who, good))
            # The executor turns an error in a list into null there and an error with its place.
            answers = [next(found) if isinstance(each, KpiRequest) else each for each in read]
            placed = [((str(info.path.key), place), each) for place, each in enumerate(answers)]
            await read_records(session, info, types, [each for each in placed if isinstance(each[1], KpiAnswer)])
        return answers

    return resolve


def _read(given: dict[str, Any]) -> KpiRequest | AccordError:
    try:
        return read_kpi(given)
    except AccordError as error:
        return error


def _funnel(types: Mapping[str, Declared]) -> Resolver:
    async def resolve(_source: object, info: Info, **arguments: Any) -> FunnelAnswer:  # noqa: ANN401 - coerced inputs
        request = read_funnel(arguments)
        async with info.context.database.read() as session:
            answer = await query_funnel(session, info.context.who, request)
            await read_records(session, info, types, [((str(info.path.key),), answer)])
        return answer

    return resolve


def _catalogue(_source: object, _info: Info) -> list[Kpi]:
    return [
        Kpi(
            key=kpi.key,
            title=kpi.title,
            definition=kpi.definition,
            kind=kpi.kind,
            unit=kpi.unit,
            subject=kpi.subject,
            reads=kpi.reads,
            dimensions=kpi.dimensions,
            switches=kpi.switches.names,
            guard=kpi.guard,
            source=kpi.source,
        )
        for kpi in CATALOGUE.values()
    ]
