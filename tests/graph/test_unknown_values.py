"""Filters of lists: a value that is in no closed set is rejected with the nearest, as in KPIs."""

from datetime import UTC, datetime

import pytest

from api.access.principal import LOCAL_OPERATOR, Principal
from api.accord.documents import read_accord
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.contract import gateway
from api.graph.request import GraphQLRequest
from schema.access.rights import Reach
from tests.support.accords import replace_document
from tests.support.graphql import answered, executed, planned, put, refused, uid, with_personal_data
from tests.support.small_company import ADA, ANNA, SPRING, write_small_company
from tests.support.statement_log import LoggingDatabase

AT = datetime(2026, 3, 1, tzinfo=UTC)
NOBODY = f"member_{uid(99)}"
NO_STAGE = f"pipeline_stage_{uid(99)}"


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await write_small_company(session)
        await replace_document(session, read_accord("standard"))
        await put(
            session,
            "company",
            *(
                {"id": uid(80 + number), "name": str(number), "country": country, "effective_at": AT}
                for number, country in enumerate(("DE", "Germany", "FR", "Atlantis"))
            ),
        )
        await put(
            session,
            "handoff",
            {
                "id": uid(71),
                "contact_id": ADA,
                "handed_at": AT,
                "decided_at": AT,
                "status": "REJECTED",
                "reject_reason": "OLD_CODE",
            },
        )
    return module_database


UNKNOWN = [
    ('contacts(where: {stageEntries: {some: {stage: {eq: "mqll"}}}})', "There is no stage 'mqll'.", "mql"),
    ('stageEntries(where: {not: {stage: {in: ["mql", "sqll"]}}})', "There is no stage 'sqll'.", "sql"),
    ('stageEntries(where: {stage: {eq: "MQL"}})', "There is no stage 'MQL'.", "mql"),
    ('deals(where: {pipelineStage: {name: {eq: "Opne"}}})', "There is no pipeline stage 'Opne'.", "There are no"),
    (f'deals(where: {{pipelineStageId: {{eq: "{NO_STAGE}"}}}})', "There is no pipeline stage with the id", "the field"),
    ('contacts(where: {stageEntries: {where: {stage: {eq: "mqll"}}, count: {gte: 1}}})', "no stage 'mqll'", "mql"),
    ('contacts(orderBy: [{stageEntries: {where: {stage: {eq: "mqll"}}, count: ASC}}])', "no stage 'mqll'", "mql"),
    ('handoffs(where: {rejectReason: {eq: "NO_FITT"}})', "There is no reject reason", "Did you mean NO_FIT"),
    ('contacts(where: {country: {eq: "Germny"}})', "There is no country 'Germny'.", "Germany"),
    ('deals(where: {company: {country: {in: ["DE", "Itly"]}}})', "There is no country 'Itly'.", "Italy"),
    ('deals(where: {or: [{owner: {name: {eq: "Ana"}}}]})', "There is no member 'Ana'.", "Did you mean Anna?"),
    ('deals(where: {primaryCampaign: {name: {eq: "Sprng"}}})', "There is no campaign 'Sprng'.", "Spring"),
    (f'contacts(where: {{ownerId: {{eq: "{NOBODY}"}}}})', "There is no member with the id", "filter by its name"),
    (f'deals(where: {{owner: {{id: {{in: ["{NOBODY}"]}}}}}})', "There is no member with the id", "the field `id`"),
]


@pytest.mark.parametrize(("field", "message", "remedy"), UNKNOWN)
async def test_a_value_that_is_in_no_closed_set_is_rejected(
    world: Database, field: str, message: str, remedy: str
) -> None:
    for document in (
        f"{{ {field} {{ totalCount }} }}",
        f"{{ {field} {{ aggregate {{ count }} }} kpiCatalogue {{ key }} }}",
        f"{{ companies {{ nodes {{ name }} }} {field} {{ nodes {{ __typename }} }} }}",
    ):
        result = await executed(world, document)
        assert result.errors is not None
        [error] = result.errors
        assert isinstance(error.original_error, AccordError)
        assert error.path == [field.partition("(")[0]]
        assert error.original_error.code is ErrorCode.UNKNOWN_VALUE
        assert message in error.original_error.message
        assert remedy in error.original_error.remedy


async def test_the_other_fields_of_the_document_are_answered(world: Database) -> None:
    result = await executed(world, '{ teams { totalCount } stageEntries(where: {stage: {eq: "mqll"}}) { totalCount } }')
    assert result.errors is not None
    assert len(result.errors) == 1


async def test_a_nested_list_is_checked_as_well(world: Database) -> None:
    document = '{ contacts { nodes { stageEntries(where: {stage: {eq: "mqll"}}) { totalCount } } } }'
    error = await refused(world, document)
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.UNKNOWN_VALUE


async def test_a_variable_is_checked_at_every_execution(world: Database) -> None:
    document = """query ($stages: [String!], $owner: ID) {
      contacts(where: {stageEntries: {some: {stage: {in: $stages}}}, ownerId: {eq: $owner}}) { totalCount } }"""
    good = {"stages": ["mql"], "owner": f"member_{ANNA}"}
    for given, is_known in ((good, True), ({**good, "stages": ["x"]}, False), ({**good, "owner": NOBODY}, False)):
        result = await executed(world, document, **given)
        assert (result.errors is None) is is_known


@pytest.mark.parametrize(
    "field",
    [
        'stageEntries(where: {stage: {eq: "mql"}})',
        'handoffs(where: {rejectReason: {eq: "NO_FIT"}})',  # of the accord, though no record has it
        'handoffs(where: {rejectReason: {eq: "OLD_CODE"}})',  # not of the accord, but a record has it
        'contacts(where: {country: {eq: "Iceland"}})',
        'members(where: {name: {eq: "Nobody"}})',  # a search for a member, not a link to one
        'companies(where: {name: {eq: "Nobody"}})',  # a search, too
        'deals(where: {company: {name: {eq: "Nobody"}}})',  # companies may be hidden: it is only warned of
        f'companies(where: {{id: {{eq: "company_{uid(99)}"}}}})',
        f'touchpoints(where: {{campaignId: {{eq: "campaign_{SPRING}"}}}})',
        'contacts(where: {leadSource: {eq: "nowhere"}})',
    ],
)
async def test_a_known_value_and_a_search_are_answered(world: Database, field: str) -> None:
    result = await executed(world, f"{{ {field} {{ totalCount }} }}")
    assert result.errors is None
    assert result.is_json


async def test_a_restricted_principal_can_filter_by_any_member(world: Database) -> None:
    own = with_personal_data(Reach.OWN, ANNA)
    document = f'{{ contacts(where: {{ownerId: {{eq: "member_{uid(12)}"}}}}) {{ totalCount }} }}'
    found = await answered(world, document, own)
    assert found["contacts"]["totalCount"] == 0


@pytest.mark.parametrize(
    ("list_", "of_member", "kind", "column", "texts"),
    [
        ("handoffs", "handoffs", "Handoff", "rejectReason", ("OLD_CODE", "OLD_COAT")),
        ("companies", "ownedCompanies", "Company", "country", ("Atlantis", "Atlantic")),
    ],
)
async def test_what_only_hidden_records_have_is_as_unknown_as_what_none_has(
    world: Database, list_: str, of_member: str, kind: str, column: str, texts: tuple[str, str]
) -> None:
    document = f"""query ($value: String!, $where: {kind}Where) {{
      {list_}(where: {{{column}: {{eq: $value}}}}) {{ totalCount }} more: {list_}(where: $where) {{ totalCount }} }}"""
    nested = f"{{ members {{ nodes {{ {of_member}(where: WHERE) {{ totalCount }} }} }} }}"

    async def messages(principal: Principal, value: str) -> list[str]:
        found = await executed(world, document, principal, value=value, where={column: {"in": [value]}})
        inner = await executed(world, nested.replace("WHERE", f'{{{column}: {{eq: "{value}"}}}}'), principal)
        return [error.message.replace(value, "…") for result in (found, inner) for error in result.errors or ()]

    (hidden, none), ben = texts, with_personal_data(Reach.OWN, uid(12))
    assert len(await messages(ben, hidden)) == 2
    assert await messages(ben, hidden) == await messages(ben, none)
    assert await messages(LOCAL_OPERATOR, hidden) == []
    assert await messages(with_personal_data(Reach.TEAM, ANNA), hidden) == []  # her team's contact; nobody's company


@pytest.mark.parametrize(
    ("given", "expected"), [("Germany", 2), ("DE", 1), ("allemagne", 1), ("Atlantis", 1), ("France", 1), ("Iceland", 0)]
)
async def test_a_country_is_found_by_its_name_and_by_its_code(world: Database, given: str, expected: int) -> None:
    document = "query ($country: String) { companies(where: {country: {eq: $country}}) { totalCount } }"
    found = await answered(world, document, country=given)
    assert found["companies"]["totalCount"] == expected


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ('contacts(where: {jobTitle: {eq: "Emperor"}})', "No contact ever had the job title 'Emperor'"),
        ('companies(where: {contacts: {some: {leadSource: {in: ["wbe"]}}}})', "the lead source 'wbe'"),
        ('companies(where: {not: {industry: {eq: "Stele"}}})', "No company ever had the industry 'Stele'"),
        (
            'deals(where: {lostReason: {eq: "Price"}})',
            "the lost reason 'Price' that the filter names. Did you mean 'price'?",
        ),
        ('dealContacts(where: {role: {in: ["Decides", "decides"]}})', "No deal contact ever had the role 'Decides'"),
        ('contacts(where: {company: {name: {eq: "ACME"}}})', "the name 'ACME' of the filter. Did you mean 'Acme'?"),
        ('touchpoints(where: {campaign: {type: {eq: "x"}}})', "No campaign ever had the type 'x'"),
        ('deals(where: {product: {family: {eq: "x"}}})', "No product ever had the family 'x'"),
    ],
)
async def test_an_unknown_free_text_is_answered_with_a_warning(world: Database, field: str, text: str) -> None:
    for document in (f"{{ {field} {{ totalCount }} }}", f"{{ {field} {{ totalCount }} kpiCatalogue {{ key }} }}"):
        request = GraphQLRequest(document, {})
        found = await gateway().execute(world, await planned(world, request))
        warnings = found.extensions["warnings"]
        assert isinstance(warnings, list)
        assert [warning["code"] for warning in warnings] == ["UNKNOWN_VALUE"]
        assert text in warnings[0]["message"]


async def test_a_known_value_costs_no_statement(world: Database) -> None:
    database = LoggingDatabase(world)
    where = f'stageEntries: {{some: {{stage: {{eq: "mql"}}}}}}, ownerId: {{eq: "member_{ANNA}"}}, country: {{eq: "DE"}}'
    result = await executed(database, f"{{ contacts(where: {{{where}}}) {{ totalCount }} }}")
    assert result.errors is None
    assert len(database.texts) == 1
