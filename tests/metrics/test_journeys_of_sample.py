"""In the sample company, every KPI that journeys answer has the figures of the facts, by every dimension."""

import re
from datetime import UTC, date, datetime

import pytest

from api.db import Database
from api.metrics.answer import KpiAnswer
from api.metrics.composites.composite_kind import CompositeKind
from api.metrics.kind_of import kind_of
from api.metrics.kinds.kind import KpiKind
from api.metrics.request import FunnelRequest, KpiRequest, Period, StagePair, Switches
from api.workflows.make_sample import make_sample
from schema.history import version_name
from schema.kpis import CATALOGUE
from schema.kpis.answer_vocab import AnsweredFrom
from schema.kpis.declared_dimensions import DECLARED_DIMENSIONS
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.dimensions import PERSON_DIMENSIONS
from schema.kpis.kinds import Subject
from schema.kpis.kpi import Kpi
from schema.tables import SHAPES
from schema.vocab import Grain, Skip
from tests.metrics.test_journeys import answered, answers, compare

UNTIL = date(2026, 11, 1)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
YEAR = Period(date(2025, 11, 1), UNTIL)


def may_read_journeys(kind: KpiKind) -> bool:
    """Whether a kind, or every part of a formula, has counted rows in journeys."""
    if isinstance(kind, CompositeKind):
        return all(may_read_journeys(part.kind) for part in kind.counted_parts)
    return type(kind).reads_journeys is not KpiKind.reads_journeys


KPIS = [kpi for kpi in CATALOGUE.values() if may_read_journeys(kind_of(kpi.measure))]
DIMENSIONS = dict.fromkeys(
    dimension for kpi in KPIS for dimension in kpi.dimensions if dimension.value not in DECLARED_DIMENSIONS
)
PAIRED = ("stage_conversion", "time_to_convert")


@pytest.fixture(scope="module")
async def sample(module_database: Database) -> Database:
    async with module_database.write() as session:
        await make_sample(session, contacts=600, seed=11, until=UNTIL, processes=0)
    return module_database


@pytest.mark.parametrize("dimension", DIMENSIONS)
async def test_every_kpi_by_every_dimension(sample: Database, dimension: Dimension) -> None:
    wanted = [
        KpiRequest(
            kpi.key,
            YEAR,
            grain=Grain.QUARTER,
            by=(dimension,),
            stages=StagePair("inquiry", "opportunity") if kpi.key in PAIRED else None,
            switches=Switches(as_of=as_of, skip=skip if kpi.switches.skip else None),
        )
        for kpi in KPIS
        for as_of, skip in ((None, None), (datetime(2026, 6, 1, tzinfo=UTC), Skip.EXCLUDE))
        if dimension in kpi.dimensions and (as_of is None or kpi.subject is Subject.PERSON)
    ]
    past = FunnelRequest(YEAR, (dimension,), switches=Switches(as_of=datetime(2026, 6, 1, tzinfo=UTC)))
    funnels = (FunnelRequest(YEAR, (dimension,)), past) if dimension in PERSON_DIMENSIONS else ()
    await compare(sample, (*wanted, *funnels), NOW)


# Whoever distributes the derived tables keeps these small ones on every node. Names of companies are joined to groups.
SMALL = {"member", "team", "campaign", "pipeline", "pipeline_stage", "product", "exchange_rate", "company"}
TABLES_OF_RECORDS = (*SHAPES, *(version_name(table) for table in SHAPES))
FOLLOWED = {"mql_to_customer", "stage_conversion", "time_to_convert"}  # from one journey of a person to another
DERIVED = {"journey", "handoff_journey", "deal_journey", "deal_span", "stage_entry"}


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.key)
async def test_a_canonical_statement_reads_derived_and_small_tables_alone(sample: Database, kpi: Kpi) -> None:
    await answers(sample, (), NOW, AnsweredFrom.JOURNEYS)
    pair = StagePair("inquiry", "opportunity") if kpi.key in PAIRED else None
    async with sample.read() as session:
        for dimension in DIMENSIONS.keys() & set(kpi.dimensions):
            request = KpiRequest(kpi.key, YEAR, grain=Grain.MONTH, by=(dimension,), stages=pair)
            answer = await answered(session, request, NOW)
            if isinstance(answer, KpiAnswer):  # others have too many groups
                named = {*re.findall(r"\b(?:from|join) ([a-z_]+)\b", answer.sql)}
                assert named & set(TABLES_OF_RECORDS) <= DERIVED | SMALL, request
                # Distributed tables have no grouping sets, and are joined by the record that they are distributed by.
                assert "grouping sets" not in answer.sql.lower(), request
                joined = re.findall(r"\bon \(?[a-z_0-9]+\.([a-z_]+)\s*=\s*[a-z_0-9]+\.([a-z_]+)", answer.sql)
                assert all(one == other for one, other in joined if {one, other} & {"contact_id", "deal_id"}), request
                assert kpi.key not in FOLLOWED or ("contact_id", "contact_id") in joined, request
