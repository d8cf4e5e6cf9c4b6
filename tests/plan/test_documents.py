"""The planner returns what the oracle returns, on documents generated from the schema."""

from collections.abc import Mapping

import orjson
import pytest
from graphql import ExecutionResult
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from api.access.principal import ALL_RIGHTS, LOCAL_OPERATOR, Principal
from api.db import Database
from api.errors import AccordError
from api.plan.value_checks.known_values import CLOSED_COLUMNS
from schema.access.rights import AccessLevel, Reach
from tests.plan.generated.documents import MAX_FIELDS, DocumentGenerator
from tests.plan.generated.rows import all_rows, write_generated_rows
from tests.plan.generated.variables import GeneratedRequest
from tests.plan.language_features import all_features, used_features
from tests.plan.oracle.executor import Executor
from tests.plan.oracle.inputs import RejectedError
from tests.plan.oracle.records import Records
from tests.plan.oracle.shapes import VISIBLE, Rows
from tests.plan.response_equality import assert_same_response
from tests.support.examples import examples
from tests.support.graphql import Outcome, answered, executed
from tests.support.random_choices import RandomChoices
from tests.support.small_company import ANNA, BEN
from tests.support.statement_log import LoggingDatabase

QUICK = settings(
    deadline=None,
    derandomize=True,
    report_multiple_bugs=False,
    phases=(Phase.generate, Phase.shrink),  # explaining a failure takes a minute
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
PRINCIPALS = [
    LOCAL_OPERATOR,
    LOCAL_OPERATOR,
    Principal(Reach.OWN, ANNA, level=AccessLevel.ADMIN, rights=ALL_RIGHTS),
    Principal(Reach.TEAM, BEN, level=AccessLevel.ADMIN, rights=ALL_RIGHTS),
]
# A seed generates the document, and Hypothesis chooses its size: so a failing document shrinks within seconds.
COLUMNS_OF = {table: {column.name for column in shape.columns} for table, shape in VISIBLE.items()}
SEEDS, FIELDS = st.integers(0, 2**32), st.integers(1, MAX_FIELDS)
OTHER_FIELD = "kpiCatalogue { key }"  # not planned: the whole document runs through the GraphQL executor


class World:
    """A database and its rows. Not a dataclass, because Hypothesis would print all rows."""

    def __init__(self, database: Database, rows: Rows) -> None:
        self.database = database
        self.rows = rows

    async def generate(
        self, seed: int, fields: int, principal: Principal, *, is_invalid: bool = False
    ) -> tuple[Executor, GeneratedRequest]:
        """Return a request with real cursors, and an oracle that knows the rows of the cursors."""
        chance = RandomChoices.of_seed(seed)
        rows = with_known_values(self.rows, principal)
        document = DocumentGenerator(chance, rows, fields=fields, is_invalid=is_invalid).document()
        oracle = Executor(self.rows, principal)
        cursors: dict[str, str | None] = {}
        for cursor, request in document.cursors:
            expected = oracle.execute(request.text, request.variables)
            found = await executed(self.database, request.text, principal, **request.variables)
            assert expected.errors is None
            assert expected.data
            assert_same_response(found.data, expected.data)
            edges, stand_ins = (data["cursors"]["edges"] for data in (found.data, expected.data))
            cursors[cursor.stand_in] = None
            if edges:
                position = cursor.position % len(edges)
                cursors[cursor.stand_in] = edges[position]["cursor"]
                oracle.register_cursor(edges[position]["cursor"], stand_ins[position]["cursor"])
        request = document.request.with_cursors(cursors)
        note(f"{principal}\n{request.text}\n{request.variables}")
        return oracle, request


def with_known_values(rows: Rows, principal: Principal) -> Rows:
    """Return rows without the values of closed sets that only records out of reach have: filters may not name them."""
    visible = Records(rows, principal).rows
    found = dict(rows)
    for table, column in CLOSED_COLUMNS:
        if column in COLUMNS_OF[table]:
            reached = [id(row) for row in visible[table]]
            found[table] = [row if id(row) in reached else row | {column: None} for row in rows[table]]
    return found


@pytest.fixture(scope="module")
async def world(module_database: Database) -> World:
    async with module_database.write() as session:
        await write_generated_rows(session)
    # From the first list of facts on, statements begin with the form that reads those of merged contacts.
    await answered(module_database, "{ contacts(where: {touchpoints: {none: {}}}) { totalCount } }")
    return World(module_database, await all_rows(module_database))


@settings(QUICK, max_examples=examples(1_200))
@given(seed=SEEDS, fields=FIELDS, principal=st.sampled_from(PRINCIPALS))
async def test_one_statement_returns_what_the_oracle_returns(
    world: World, seed: int, fields: int, principal: Principal
) -> None:
    oracle, request = await world.generate(seed, fields, principal)
    expected = oracle.execute(request.text, request.variables)
    assert expected.errors is None
    database = LoggingDatabase(world.database)
    found = await executed(database, request.text, principal, **request.variables)
    assert found.errors is None
    assert found.is_json
    assert len(database.texts) == 1
    assert_same_response(found.data, expected.data)


@settings(QUICK, max_examples=examples(150))
@given(seed=SEEDS, fields=FIELDS, principal=st.sampled_from(PRINCIPALS))
async def test_beside_unplanned_fields_the_response_is_the_same(
    world: World, seed: int, fields: int, principal: Principal
) -> None:
    oracle, request = await world.generate(seed, fields, principal)
    expected = oracle.execute(request.text, request.variables)
    database = LoggingDatabase(world.database)
    found = await executed(database, request.with_root_field(OTHER_FIELD).text, principal, **request.variables)
    assert found.errors is None
    assert not found.is_json
    assert len(database.texts) == (1 if reads_records(expected.data) else 0)
    assert found.data.pop("kpiCatalogue")
    assert_same_response(as_client_reads(found.data), expected.data)


@settings(QUICK, max_examples=examples(250))
@given(seed=SEEDS, fields=FIELDS, principal=st.sampled_from(PRINCIPALS), has_other_field=st.booleans())
async def test_errors_have_the_path_and_the_code_that_the_oracle_gives_them(
    world: World, seed: int, fields: int, principal: Principal, has_other_field: bool
) -> None:
    oracle, generated = await world.generate(seed, fields, principal, is_invalid=True)
    # The document is executed twice: its cached statement must not be used for variables that it does not fit.
    for request in (generated.with_fewer_variables(), generated):
        expected = oracle.execute(request.text, request.variables)
        text = request.with_root_field(OTHER_FIELD).text if has_other_field else request.text
        found = await executed(world.database, text, principal, **request.variables)
        assert found.is_json is (expected.errors is None and not has_other_field)
        if has_other_field and found.data is not None:
            assert found.data.pop("kpiCatalogue")
        assert_same_outcome(found, expected)


def assert_same_outcome(found: Outcome, expected: ExecutionResult) -> None:
    """Assert that an outcome equals the expected one, errors included."""
    if expected.data is None:
        # The first error that reaches the root ends the execution. GraphQL leaves open which others are found before.
        assert found.data is None
        assert set(errors_of(expected)) & set(errors_of(found))
    else:
        assert sorted(errors_of(found)) == sorted(errors_of(expected))
        assert_same_response(as_client_reads(found.data), expected.data)


def test_the_generated_documents_use_every_feature_of_the_language(world: World) -> None:
    documents = [DocumentGenerator(RandomChoices.of_seed(seed), world.rows).document() for seed in range(300)]
    used = used_features(document.request.text for document in documents)
    assert sorted(all_features() - used) == []
    assert sum(len(document.cursors) for document in documents) > 100


def errors_of(result: Outcome | ExecutionResult) -> list[tuple[str, str]]:
    """Return the errors as pairs of path and code."""
    return [(str(error.path), code_of(error.original_error)) for error in result.errors or ()]


def code_of(error: Exception | None) -> str:
    assert isinstance(error, AccordError | RejectedError)
    return str(error.code)


def reads_records(data: Mapping[str, object] | None) -> bool:
    """Return whether a root field is anything but `__typename`."""
    return any(value != "Query" for value in (data or {}).values())


def as_client_reads(data: object) -> object:
    """Return response data after serialization."""
    return orjson.loads(orjson.dumps(data))


@pytest.mark.parametrize("selected", ["__typename", "... @skip(if: true) { totalCount } __typename", "totalCount"])
async def test_an_invalid_id_is_rejected_even_if_no_row_is_read(world: World, selected: str) -> None:
    lists = f"pipelines(where: {{ id: {{ eq: $id }} }}) {{ {selected} }}"
    valid, invalid = "pipeline_00000000-0000-0000-0000-000000000001", "nothing"
    for id_, codes in ((valid, []), (invalid, ["BAD_INPUT"]), (valid, [])):
        outcome = await executed(world.database, f"query ($id: ID) {{ {lists} }}", LOCAL_OPERATOR, id=id_)
        assert [code for _, code in errors_of(outcome)] == codes
