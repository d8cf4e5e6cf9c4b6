"""In the sample company, every KPI that journeys answer has the figures of the facts, by every dimension."""

from datetime import UTC, date, datetime

import pytest

from api.db import Database
from api.metrics.kind_of import kind_of
from api.metrics.kinds.kind import KpiKind
from api.metrics.request import FunnelRequest, KpiRequest, Period, StagePair, Switches
from api.workflows.make_sample import make_sample
from schema.kpis import CATALOGUE
from schema.kpis.dimensions import PERSON_DIMENSIONS
from schema.kpis.kinds import Subject
from schema.vocab import Dimension, Grain, Skip
from tests.metrics.test_journeys import compare

UNTIL = date(2026, 11, 1)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
YEAR = Period(date(2025, 11, 1), UNTIL)
KPIS = [kpi for kpi in CATALOGUE.values() if type(kind_of(kpi.measure)).reads_journeys is not KpiKind.reads_journeys]
DIMENSIONS = dict.fromkeys(dimension for kpi in KPIS for dimension in kpi.dimensions)
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
