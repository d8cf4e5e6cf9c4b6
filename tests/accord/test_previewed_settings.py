"""Duties and targets that depend on stages: each of their settings changes what a preview says of a version."""

from collections.abc import Mapping
from copy import deepcopy
from itertools import count
from typing import Any

import pytest

from api.db import Database
from api.funnel.evaluate import evaluate
from api.workflows.adopt_accord import adopt_accord
from schema.accord import Accord
from tests.metrics.test_preview_commitments import accord, write_people
from tests.support.previews import add_draft, preview_of

Document = dict[str, Any]
Path = tuple[str | int, ...]
MARKETING: Path = ("handoff", "marketing")
SALES: Path = ("handoff", "sales")
# What to change in the document, and to what.
PREVIEWED: Mapping[str, tuple[Path, object]] = {
    "Stage.needs": (("stages", 1, "needs"), ["contact.phone"]),
    "VolumeDuty.stage": ((*MARKETING, "volume", 0, "stage"), "lead"),
    "VolumeDuty.at_least": ((*MARKETING, "volume", 0, "at_least"), 3),
    "VolumeDuty.per": ((*MARKETING, "volume", 0, "per"), "WEEK"),
    "CompletenessDuty.stage": ((*MARKETING, "completeness", 0, "stage"), "won"),
    "CompletenessDuty.at_least": ((*MARKETING, "completeness", 0, "at_least"), "0.8"),
    "HandOverDuty.stage": ((*MARKETING, "hand_over", 0, "stage"), "lead"),
    "AttemptsDuty.at_least": ((*SALES, "attempts", "at_least"), 3),
    "SalesDuties.reject_with": ((*SALES, "reject_with"), ["REASON", "NOTE"]),
    "Target.kpi": (("targets", 0, "kpi"), "stage_volume"),
    "Target.period": (("targets", 0, "period"), "2026-02"),
    "Target.value": (("targets", 0, "value"), "4"),
    "Target.duration": (("targets", 1, "duration"), "3 days"),
    "TargetSlice.dimension": (("targets", 0, "only", "dimension"), "LEAD_SOURCE"),
    "TargetSlice.value": (("targets", 0, "only", "value"), "EMAIL"),
}
NUMBERS = count(3)


def agreed() -> Document:
    duties = {
        "volume": [{"stage": "mql", "at_least": 2, "per": "MONTH"}],
        "completeness": [{"stage": "mql", "at_least": "0.9"}],
        "hand_over": [{"stage": "mql", "within": "1 day"}],
    }
    sales = {"attempts": {"at_least": 2, "within": "1 day"}}
    targets = [
        {"kpi": "mqls", "period": "2026-03", "value": "3", "only": {"dimension": "CHANNEL", "value": "WEBSITE"}},
        {"kpi": "time_in_stage", "period": "2026-03", "duration": "2 days"},
    ]
    document = accord(2, handoff={"marketing": duties, "sales": sales}, targets=targets)
    body = document.model_dump(mode="json", by_alias=True, exclude_none=True)
    body["stages"][2]["needs"] = ["contact.email"]
    return body


def changed(path: Path, value: object) -> Document:
    document = agreed()
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = deepcopy(value)
    return document


@pytest.fixture(scope="module")
async def loaded(module_database: Database) -> Database:
    async with module_database.write() as session:
        await adopt_accord(session, accord(1))
        await write_people(session)
        await evaluate(session)
    return module_database


async def commitments(database: Database, document: Document) -> object:
    """What a preview says of the duties and targets of a draft."""
    number = next(NUMBERS)
    async with database.write() as session:
        await add_draft(session, Accord.model_validate(document), number)
    preview = await preview_of(database, "2026-03-01", "2026-04-01", version=number)
    return preview.duties, preview.targets


@pytest.fixture(scope="module")
async def unchanged(loaded: Database) -> object:
    return await commitments(loaded, agreed())


@pytest.mark.parametrize("name", PREVIEWED)
async def test_a_setting_changes_what_a_preview_says(loaded: Database, unchanged: object, name: str) -> None:
    assert unchanged != await commitments(loaded, changed(*PREVIEWED[name])), name


async def test_the_same_commitments_are_the_same_in_a_preview(loaded: Database, unchanged: object) -> None:
    assert unchanged == await commitments(loaded, agreed())
