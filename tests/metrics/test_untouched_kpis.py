"""Which KPIs a preview computes once for both versions."""

from typing import Any
from uuid import UUID

import pytest

from api.accord.documents import read_accord
from api.accord.in_force import AccordInForce
from api.metrics.preview.kpi_effects import KpiPair, is_untouched
from api.metrics.preview.sides import MIXED, STORED, Side, Sides
from api.metrics.request import KpiRequest
from schema.accord import Accord
from schema.kpis import CATALOGUE
from schema.vocab import Disposition

STANDARD = read_accord("standard")
RECYCLES_NOBODY = tuple(
    reason.model_copy(update={"disposition": Disposition.DISQUALIFY}) for reason in STANDARD.reject_reasons
)


def side(accord: Accord, table: str) -> Side:
    version = AccordInForce(id=UUID(int=1), number=1, content_hash="", accord=accord, is_signed=False, starts_at=None)
    return Side(version, table, UUID(int=2))


def is_computed_once(key: str, **changed: Any) -> bool:  # noqa: ANN401 - parts of a document
    """Whether a KPI is computed once if the lowest stage differs, and also parts of the document."""
    after = side(STANDARD.model_copy(update=changed), MIXED)
    sides = Sides(side(STANDARD, STORED), after, frozenset({"suspect"}))
    return is_untouched(KpiPair(CATALOGUE[key], KpiRequest(key)), sides)


@pytest.mark.parametrize("key", ["mqls", "recycle_rate", "orphan_hours"])
def test_a_kpi_of_higher_stages_is_computed_once(key: str) -> None:
    assert is_computed_once(key)


def test_what_a_kpi_reads_beside_the_stages_is_computed_for_either_version() -> None:
    assert not is_computed_once("recycle_rate", reject_reasons=RECYCLES_NOBODY)
    assert not is_computed_once("orphan_hours", calendars=())
    assert not is_computed_once("orphan_hours", handoff=None)
