"""The planner held equal to graphql-core's executor over plain Python rows, on documents made up from the schema."""

from collections.abc import Mapping

import orjson
import pytest
from graphql import ExecutionResult
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from api.access.principal import EVERYONE, Principal, Reach
from api.db import Database
from api.errors import AccordError
from tests.plan.generated.documents import MOST_FIELDS, Author
from tests.plan.generated.rows import all_rows, write_generated_rows
from tests.plan.generated.variables import Asked
from tests.plan.language_features import features, uses
from tests.plan.oracle.executor import Executor
from tests.plan.oracle.inputs import RefusedError
from tests.plan.oracle.shapes import Rows
from tests.plan.response_equality import assert_same_response
from tests.support.graphql import Outcome, executed
from tests.support.random_choices import RandomChoices
from tests.support.small_company import ANNA, BEN
from tests.support.statement_log import LoggingDatabase

QUICK = settings(
    deadline=None,
    derandomize=True,
    report_multiple_bugs=False,
    phases=(Phase.generate, Phase.shrink),  # to explain a failure takes a minute
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
ASKING = [EVERYONE, EVERYONE, Principal(Reach.OWN, ANNA), Principal(Reach.TEAM, BEN)]
# A document is made by a seed, its size by Hypothesis: so a failing one is made smaller in seconds.
SEEDS, FIELDS = st.integers(0, 2**32), st.integers(1, MOST_FIELDS)
OTHER = "kpiCatalogue { key }"


class World:
    """A database and its rows: no dataclass, for Hypothesis would print them all."""

    def __init__(self, database: Database, rows: Rows) -> None:
        self.database = database
        self.rows = rows

    async def made(self, seed: int, fields: int, who: Principal, *, is_bad: bool = False) -> tuple[Executor, Asked]:
        """A document with true cursors, and a reference that knows what rows they are of."""
        made = Author(RandomChoices.of_seed(seed), self.rows, fields=fields, is_bad=is_bad).document()
        reference = Executor(self.rows, who)
        texts: dict[str, str | None] = {}
        for wish, asked in made.cursors:
            expected = reference.execute(asked.text, asked.variables)
            found = await executed(self.database, asked.text, who, **asked.variables)
            assert expected.errors is None
            assert expected.data
            assert_same_response(found.data, expected.data)
            edges, stand_ins = (each["wanted"]["edges"] for each in (found.data, expected.data))
            texts[wish.stand_in] = None
            if edges:
                place = wish.place % len(edges)
                texts[wish.stand_in] = edges[place]["cursor"]
                reference.learn(edges[place]["cursor"], stand_ins[place]["cursor"])
        asked = made.asked.filled(texts)
        note(f"{who}\n{asked.text}\n{asked.variables}")
        return reference, asked


@pytest.fixture(scope="module")
async def world(module_database: Database) -> World:
    async with module_database.write() as session:
        await write_generated_rows(session)
    return World(module_database, await all_rows(module_database))


@settings(QUICK, max_examples=1_200)
@given(seed=SEEDS, fields=FIELDS, who=st.sampled_from(ASKING))
async def test_one_statement_answers_what_the_executor_answers(
    world: World, seed: int, fields: int, who: Principal
) -> None:
    reference, asked = await world.made(seed, fields, who)
    expected = reference.execute(asked.text, asked.variables)
    assert expected.errors is None
    watched = LoggingDatabase(world.database)
    found = await executed(watched, asked.text, who, **asked.variables)
    assert found.errors is None
    assert found.is_json
    assert len(watched.texts) == 1
    assert_same_response(found.data, expected.data)


@settings(QUICK, max_examples=150)
@given(seed=SEEDS, fields=FIELDS, who=st.sampled_from(ASKING))
async def test_beside_other_fields_the_same_is_answered(world: World, seed: int, fields: int, who: Principal) -> None:
    reference, asked = await world.made(seed, fields, who)
    expected = reference.execute(asked.text, asked.variables)
    watched = LoggingDatabase(world.database)
    found = await executed(watched, asked.beside(OTHER).text, who, **asked.variables)
    assert found.errors is None
    assert not found.is_json
    assert len(watched.texts) == (1 if reads_records(expected.data) else 0)
    assert found.data.pop("kpiCatalogue")
    assert_same_response(as_sent(found.data), expected.data)


@settings(QUICK, max_examples=250)
@given(seed=SEEDS, fields=FIELDS, who=st.sampled_from(ASKING), is_beside=st.booleans())
async def test_what_is_refused_is_told_where_the_executor_tells_it(
    world: World, seed: int, fields: int, who: Principal, is_beside: bool
) -> None:
    reference, asked = await world.made(seed, fields, who, is_bad=True)
    # The statement that is kept of a document is not that of other variables.
    for each in (asked.sparing(), asked):
        expected = reference.execute(each.text, each.variables)
        text = each.beside(OTHER).text if is_beside else each.text
        found = await executed(world.database, text, who, **each.variables)
        assert found.is_json is (expected.errors is None and not is_beside)
        if is_beside and found.data is not None:
            assert found.data.pop("kpiCatalogue")
        hold(found, expected)


def hold(found: Outcome, expected: ExecutionResult) -> None:
    """Hold an outcome to the expected one, errors too."""
    if expected.data is None:
        # The first of these errors ends the answer; which of the others were met by then is left open.
        assert found.data is None
        assert set(told(expected)) & set(told(found))
    else:
        assert sorted(told(found)) == sorted(told(expected))
        assert_same_response(as_sent(found.data), expected.data)


def test_the_documents_use_all_of_the_language(world: World) -> None:
    made = [Author(RandomChoices.of_seed(seed), world.rows).document() for seed in range(300)]
    assert sorted(features() - uses(each.asked.text for each in made)) == []
    assert sum(len(each.cursors) for each in made) > 100


def told(result: Outcome | ExecutionResult) -> list[tuple[str, str]]:
    """The errors by path and code."""
    return [(str(error.path), code_of(error.original_error)) for error in result.errors or ()]


def code_of(error: Exception | None) -> str:
    assert isinstance(error, AccordError | RefusedError)
    return str(error.code)


def reads_records(data: Mapping[str, object] | None) -> bool:
    """Whether a root field is more than the name of the root's type."""
    return any(value != "Query" for value in (data or {}).values())


def as_sent(data: object) -> object:
    """An answer as a client reads it."""
    return orjson.loads(orjson.dumps(data))
