"""Documents, the one statement they become, and what it answers. `ACCORD_GOLDEN=write pytest …` writes them anew."""

import json
import os
import re
from pathlib import Path

import pytest

from api.db import Database
from api.plan.explain_text import statement_text
from tests.plan.language_features import features, uses
from tests.support.graphql import answered
from tests.support.small_company import write_small_company
from tests.support.statement_log import LoggingDatabase

FOLDER = Path(__file__).with_name("golden")
CASES = sorted(path.stem for path in FOLDER.glob("*.graphql"))
LONGEST = 60


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await write_small_company(session)
    return module_database


@pytest.mark.parametrize("case", CASES)
async def test_a_document_becomes_this_statement_and_this_answer(case: str, world: Database) -> None:
    document = (FOLDER / f"{case}.graphql").read_text()
    asked = re.match(r"# (\{.*\})\n", document)
    watched = LoggingDatabase(world)
    data = await answered(watched, document, **(json.loads(asked[1]) if asked else {}))
    assert len(watched.texts) == 1
    assert not watched.statements
    found = {".sql": statement_text(*watched.texts[0]), ".json": json.dumps(data, indent=1, ensure_ascii=False) + "\n"}
    for suffix, text in found.items():
        path = (FOLDER / case).with_suffix(suffix)
        if os.environ.get("ACCORD_GOLDEN") == "write":
            path.write_text(text)
        assert path.read_text() == text
        assert len(text.splitlines()) < LONGEST


def test_every_feature_of_a_list_has_a_golden_case() -> None:
    used = uses((FOLDER / f"{case}.graphql").read_text() for case in CASES)
    assert sorted(features() - used) == []
