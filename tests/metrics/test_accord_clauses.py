"""The catalogue names the sections of the accord that the statement of a KPI is made of."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.accord.in_force import AccordInForce
from api.errors import AccordError
from api.metrics.clocks.clock_warnings import Clocks
from api.metrics.context import MetricContext
from api.metrics.figure_table import FigureTable
from api.metrics.kind_of import kind_of
from api.metrics.periods.period_names import named_period
from api.metrics.request import KpiRequest, StagePair
from api.metrics.resolve import resolve
from api.metrics.source_gaps import SourceGaps
from schema.accord import Accord
from schema.kpis import CATALOGUE

NOW = datetime(2026, 5, 1, tzinfo=UTC)
SECTIONS = {*Accord.model_fields} - {"title"}
# Read when people are evaluated, or only to name a value of the dimension REJECT_REASON.
READ_ELSEWHERE = {"stages", "exits", "reject_reasons"}


class WatchedAccord(Accord):
    """An accord that notes which of its sections are read."""

    read: ClassVar[set[str]] = set()

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 - any attribute
        if name in SECTIONS:
            WatchedAccord.read.add(name)
        return super().__getattribute__(name)


@pytest.fixture(scope="module")
def context() -> MetricContext:
    document = read_accord("standard").model_dump(by_alias=True)
    # Every duty of sales is counted in the opening hours of a calendar.
    document["handoff"]["sales"]["attempts"]["within"] = {"time": "40 hours", "calendar": "office"}
    watched = WatchedAccord.model_validate(document)
    return MetricContext(
        in_force=AccordInForce(UUID(int=1), 1, "hash", is_signed=False, starts_at=None, accord=watched),
        principal=LOCAL_OPERATOR,
        evaluation_id=UUID(int=2),
        watermark=NOW,
        has_contacts=True,
        has_merged_contacts=False,
        gaps=SourceGaps((), is_detailed=True),
        now=NOW,
        clocks=Clocks(),
    )


@pytest.mark.parametrize("key", CATALOGUE)
def test_a_statement_reads_the_sections_that_the_catalogue_names(key: str, context: MetricContext) -> None:
    kpi = CATALOGUE[key]
    kind = kind_of(kpi.measure)
    pair = StagePair("mql", "sql") if kind.stages(()) is None else None
    request = KpiRequest(key, named_period("2026-Q1"), stages=pair)
    try:
        resolved = resolve(kpi, request, context)
        # Resolving reads the stages and the reporting of every KPI.
        WatchedAccord.read.clear()
        kind.statement(resolved, ())
        kind.adjusted(resolved, FigureTable({}, {}), ())
        kind.empty_reason(replace(resolved, by=()))
    except AccordError:
        pytest.fail(f"{key} is not answered by the standard accord")
    named = {*kpi.accord_clauses}
    assert WatchedAccord.read - {"stages"} <= named
    assert named - WatchedAccord.read <= READ_ELSEWHERE | {"reporting"}
