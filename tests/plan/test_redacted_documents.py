"""Without the right PERSONAL_DATA, a response is an error, or what it would be if no personal value had been stored.

The documents are generated from the schema: they filter, sort, group, search and page through every kind of link.
"""

import re
from collections import Counter
from collections.abc import Mapping

import pytest

from api.access.field_rights import coordinate, personal_columns
from api.access.principal import Principal
from api.errors import AccordError, ErrorCode
from schema.access.rights import AccessLevel, Reach
from schema.tables import SHAPES
from tests.plan.generated.documents import DocumentGenerator
from tests.plan.oracle.executor import Executor
from tests.plan.oracle.shapes import Rows
from tests.plan.response_equality import assert_same_response
from tests.plan.test_documents import OTHER_FIELD, World, as_client_reads, with_known_values, world
from tests.support.graphql import executed
from tests.support.random_choices import RandomChoices
from tests.support.small_company import ANNA, BEN

__all__ = ["world"]  # the fixture

SEEDS = range(20_000)  # at most: the test ends when it has seen enough
ENOUGH = 20
NAMED = re.compile(r"\b(firstName|lastName|phone|note|search)\b|\b[cC]ontacts?\b.*\bemail\b", re.DOTALL)
PRINCIPALS = [
    Principal(Reach.ALL),
    Principal(Reach.ALL, level=AccessLevel.ADMIN),
    Principal(Reach.OWN, ANNA, level=AccessLevel.ADMIN),
    Principal(Reach.TEAM, BEN, level=AccessLevel.OPERATOR),
]
PERSONAL = {coordinate(table, column) for table in SHAPES for column in personal_columns(table)}


def without_personal_data(rows: Rows) -> Rows:
    """Return the rows of a database in which no personal value was ever stored."""
    return {
        table: [row | dict.fromkeys(personal_columns(table.removesuffix("_version"))) for row in listed]
        if table.removesuffix("_version") in SHAPES
        else listed
        for table, listed in rows.items()
    }


@pytest.mark.parametrize("is_executed", [False, True], ids=["one statement", "executor"])
async def test_a_response_does_not_depend_on_personal_values(world: World, is_executed: bool) -> None:
    seen: Counter[str] = Counter()
    bare = without_personal_data(world.rows)
    known = {principal: with_known_values(world.rows, principal) for principal in PRINCIPALS}
    kinds = ("refused", "redacted", "the same")
    for seed in SEEDS:
        if min(seen[kind] for kind in kinds) >= ENOUGH:
            return
        principal = PRINCIPALS[seed % len(PRINCIPALS)]
        document = DocumentGenerator(RandomChoices.of_seed(seed), known[principal], fields=1 + seed % 12).document()
        request = document.request.with_cursors({})
        if document.cursors or not NAMED.search(f"{request.text} {request.variables}"):
            continue
        text = request.with_root_field(OTHER_FIELD).text if is_executed else request.text
        found = await executed(world.database, text, principal, **request.variables)
        for error in found.errors or ():
            assert isinstance(error.original_error, AccordError), (seed, error)
            assert error.original_error.code is ErrorCode.NOT_ALLOWED, (seed, error)
            assert not [value for value in personal_values(world.rows) if value in error.message], seed
        if found.errors:
            seen["refused"] += 1
            continue
        data = as_client_reads(found.data)
        if is_executed and isinstance(data, dict):
            data.pop("kpiCatalogue")
        expected = Executor(bare, principal).execute(request.text, request.variables)
        assert expected.errors is None
        assert_same_response(data, expected.data)
        assert {*found.redacted} <= PERSONAL
        whole = Executor(world.rows, principal).execute(request.text, request.variables)
        if without_cursors(whole.data) != without_cursors(expected.data):
            seen["redacted"] += 1
            assert found.redacted, (seed, text)
        else:
            seen["the same"] += 1
    pytest.fail(f"the generated documents are too few of some kind: {seen}")


def personal_values(rows: Rows) -> set[str]:
    """Return the personal values of all rows that are long enough not to stand in an error by chance."""
    return {
        value
        for table in SHAPES
        for column in personal_columns(table)
        for row in rows[table]
        if (value := row[column]) and len(value) > 6
    }


def without_cursors(data: object) -> object:
    """Return a response without cursors: two oracles number them differently."""
    if isinstance(data, Mapping):
        return {key: without_cursors(value) for key, value in data.items()}
    if isinstance(data, list):
        return [without_cursors(item) for item in data]
    return None if isinstance(data, str) and data.startswith("cursor of ") else data
