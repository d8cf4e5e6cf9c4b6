"""After an import that concerns few people, they alone are evaluated, and the entries are those of a rebuild."""

from pathlib import Path

import pytest

from api.db import Database
from api.funnel.drift import check_entries
from api.importers.run_import import run_import
from api.intake.evaluate_import import EvaluatedPeople
from tests.importers.conftest import rows
from tests.support.mutations import run
from tests.support.small_export import write_small_export

PEOPLE = 40


def write(folder: Path, *, people: dict[int, str] | None = None, forms: tuple[str, ...] = (), deal: str = "") -> str:
    """Write the files of 40 people with a form each; `people` gives e-mail address, title and survivor of some."""
    given = {number: f"p{number}@x.example,," for number in range(PEOPLE)} | (people or {})
    touched = {f"f{number}": f"{number},2026-01-02" for number in range(PEOPLE)}
    touched |= {key: values for key, _, values in (row.partition(",") for row in forms)}
    return write_small_export(
        folder,
        people=(f"{number},{row},2026-01-01" for number, row in given.items()),
        forms=(f"{key},{values}" for key, values in touched.items()),
        deals=[f"d1,{deal or 'OPEN,7,'}"],
    )


STAGES = """select count(*) from stage_entry e join evaluation v on v.id = e.evaluation_id and v.is_current
  join external_key k on k.record_id = e.contact_id and k.entity = 'contact'
  where k.external_id = '{person}' and e.stage = '{stage}' and e.own_at is not null"""


@pytest.mark.parametrize(
    ("changed", "evaluated", "holds", "holds_not"),
    [
        ({"forms": ("g1,3,2026-01-03",)}, 1, [("3", "mql")], []),
        # The same key for another person: the form was moved, and both people are evaluated.
        ({"forms": ("f1,2,2026-01-03",)}, 2, [("2", "mql")], []),
        # A merge joins the facts of both.
        ({"people": {4: "p4@x.example,,5"}}, 2, [("5", "mql")], [("4", "inquiry")]),
        ({"deal": "WON,7,2026-02-01"}, 1, [("7", "customer")], []),
        # Without an address nobody is qualified.
        ({"people": {5: ",,"}, "forms": ("g1,5,2026-01-03",)}, 1, [("5", "inquiry")], []),
    ],
)
async def test_an_import_that_concerns_few_evaluates_these(
    database: Database,
    tmp_path: Path,
    changed: dict[str, object],
    evaluated: int,
    holds: list[tuple[str, str]],
    holds_not: list[tuple[str, str]],
) -> None:
    preset = write(tmp_path)
    first = await run_import(database, preset, tmp_path)
    assert first.evaluated == EvaluatedPeople(PEOPLE, PEOPLE)
    write(tmp_path, **changed)  # type: ignore[arg-type]
    again = await run_import(database, preset, tmp_path, accept_changes=True)
    assert again.evaluated == EvaluatedPeople(evaluated, PEOPLE)
    await require_no_drift(database)
    for person, stage in holds:
        assert await rows(database, STAGES.format(person=person, stage=stage)) == [(1,)], (person, stage)
    for person, stage in holds_not:
        assert await rows(database, STAGES.format(person=person, stage=stage)) == [(0,)], (person, stage)


async def test_a_merge_into_another_person_leaves_the_first_one_without_the_facts(
    database: Database, tmp_path: Path
) -> None:
    preset = write(tmp_path, people={4: "p4@x.example,,5"})
    await run_import(database, preset, tmp_path)
    write(tmp_path, people={4: "p4@x.example,,6"})
    again = await run_import(database, preset, tmp_path)
    assert again.evaluated == EvaluatedPeople(3, PEOPLE)
    await require_no_drift(database)
    assert await rows(database, STAGES.format(person="6", stage="mql")) == [(1,)]
    assert await rows(database, STAGES.format(person="5", stage="mql")) == [(0,)]


async def test_what_was_voided_stays_so_when_its_file_is_imported_again(database: Database, tmp_path: Path) -> None:
    preset = write(tmp_path)
    await run_import(database, preset, tmp_path)
    person, deal, form = ({"externalKey": {"source": "crm", "externalId": key}} for key in ("7", "d1", "f1"))
    voided = await run(database, "voidTouchpoint", "voidedId", {"touchpoint": form, "reason": "a test"})
    removed = await run(database, "removeDealRole", "deal { id }", {"deal": deal, "contact": person})
    assert voided["userErrors"] == removed["userErrors"] == []
    assert (await run_import(database, preset, tmp_path)).is_unchanged
    write(tmp_path, deal="WON,7,2026-02-01")
    await run_import(database, preset, tmp_path)
    await require_no_drift(database)
    assert await rows(database, STAGES.format(person="1", stage="inquiry")) == [(0,)]
    assert await rows(database, STAGES.format(person="7", stage="customer")) == [(0,)]


async def test_an_import_that_concerns_many_evaluates_everybody(database: Database, tmp_path: Path) -> None:
    preset = write(tmp_path)
    await run_import(database, preset, tmp_path)
    write(tmp_path, forms=tuple(f"g{number},{number},2026-01-03" for number in range(20)))
    again = await run_import(database, preset, tmp_path)
    assert again.evaluated == EvaluatedPeople(PEOPLE, PEOPLE)
    await require_no_drift(database)


async def test_an_import_of_what_no_rule_reads_evaluates_nobody(database: Database, tmp_path: Path) -> None:
    preset = write(tmp_path)
    await run_import(database, preset, tmp_path)
    unchanged = await run_import(database, preset, tmp_path)
    assert unchanged.evaluated is None


async def require_no_drift(database: Database) -> None:
    async with database.scratch() as session:
        await check_entries(session)
