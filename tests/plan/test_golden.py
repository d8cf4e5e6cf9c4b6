"""Golden files: documents, their statements and their results. `make golden` rewrites them."""

import json
import os
import re
from pathlib import Path

import pytest

from api.db import Database
from api.plan.explain_text import statement_text
from tests.plan.language_features import all_features, used_features
from tests.support.graphql import answered
from tests.support.small_company import write_small_company
from tests.support.statement_log import LoggingDatabase

FOLDER = Path(__file__).with_name("golden")
CASES = sorted(path.stem for path in FOLDER.glob("*.graphql"))
MAX_LINES = 60


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await write_small_company(session)
    return module_database


@pytest.mark.parametrize("case", CASES)
async def test_a_document_has_the_statement_and_the_result_of_its_golden_files(case: str, world: Database) -> None:
    document = (FOLDER / f"{case}.graphql").read_text()
    variables = re.match(r"# (\{.*\})\n", document)
    given = json.loads(variables[1]) if variables else {}
    await answered(world, document, **given)  # the first request of a process finds out whether contacts are merged
    database = LoggingDatabase(world)
    data = await answered(database, document, **given)
    assert len(database.texts) == 1
    assert not database.statements
    found = {".sql": statement_text(*database.texts[0]), ".json": json.dumps(data, indent=1, ensure_ascii=False) + "\n"}
    for suffix, text in found.items():
        path = (FOLDER / case).with_suffix(suffix)
        if os.environ.get("ACCORD_GOLDEN") == "write":
            path.write_text(text)
        assert path.read_text() == text
        assert len(text.splitlines()) < MAX_LINES


def test_every_feature_of_a_list_has_a_golden_case() -> None:
    used = used_features((FOLDER / f"{case}.graphql").read_text() for case in CASES)
    assert sorted(all_features() - used) == []
