"""The scope of a principal applies wherever a statement reads a table."""

import ast
import base64
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from api import plan
from api.access.principal import Principal
from api.access.scope import has_owner, subject_links
from api.db import Database
from schema.access.rights import Reach
from schema.tables import SHAPES
from tests.support.graphql import answered, put, uid, with_personal_data
from tests.support.small_company import ACME, ADA, ANNA, BOLT, CARL, DEAL, LOST_DEAL, SPRING, write_small_company

PLANNER = Path(plan.__file__).parent
UNSCOPED = {"accord_version"}  # visible to everyone
ZOE, OTHER_TEAM = uid(13), uid(2)


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await write_small_company(session)
        await put(session, "team", {"id": OTHER_TEAM, "name": "Field", "kind": "SALES"})
        await put(session, "member", {"id": ZOE, "name": "Zoe", "team_id": OTHER_TEAM})
        await session.script(f"update contact set owner_id = '{ZOE}' where id = '{CARL}'")
        await session.script(f"update deal set owner_id = '{ZOE}' where id = '{LOST_DEAL}'")
    return module_database


async def contact_names(database: Database, principal: Principal) -> set[str]:
    found = await answered(database, "{ contacts { totalCount nodes { firstName } } }", principal)
    assert found["contacts"]["totalCount"] == len(found["contacts"]["nodes"])
    return {contact["firstName"] for contact in found["contacts"]["nodes"]}


async def test_a_principal_with_reach_all_reaches_every_record(world: Database) -> None:
    assert await contact_names(world, with_personal_data(Reach.ALL)) == {"Ada", "Bob", "Carl"}


@pytest.mark.parametrize(
    ("member", "own", "team"),
    [
        (ANNA, {"Ada", "Bob"}, {"Ada", "Bob"}),
        (uid(12), set[str](), {"Ada", "Bob"}),  # Ben owns no contact, and is in Anna's team
        (ZOE, {"Carl"}, {"Carl"}),
        (uid(99), set[str](), set[str]()),
        (None, set[str](), set[str]()),
    ],
)
async def test_a_principal_reaches_own_records_or_those_of_the_team(
    world: Database, member: UUID | None, own: set[str], team: set[str]
) -> None:
    assert await contact_names(world, with_personal_data(Reach.OWN, member)) == own
    assert await contact_names(world, with_personal_data(Reach.TEAM, member)) == team


async def test_rows_about_a_record_are_reached_with_it(world: Database) -> None:
    document = """{
      touchpoints { totalCount nodes { contact { firstName } } } stageEntries { totalCount } dealContacts { totalCount }
      campaigns { nodes { name } } }"""
    anna = await answered(world, document, with_personal_data(Reach.OWN, ANNA))
    assert {touchpoint["contact"]["firstName"] for touchpoint in anna["touchpoints"]["nodes"]} == {"Ada", "Bob"}
    assert anna["stageEntries"]["totalCount"] == 2
    assert anna["dealContacts"]["totalCount"] == 0  # she owns the contact, and no one owns the deal
    zoe = await answered(world, document, with_personal_data(Reach.OWN, ZOE))
    assert (zoe["touchpoints"]["totalCount"], zoe["stageEntries"]["totalCount"]) == (0, 0)
    assert zoe["campaigns"] == anna["campaigns"] == {"nodes": [{"name": "Spring"}]}


async def test_links_lists_and_nodes_apply_the_scope(world: Database) -> None:
    document = f"""{{
      mine: contact(id: "contact_{ADA}") {{ firstName company {{ name }} }}
      other: contact(id: "contact_{CARL}") {{ firstName }}
      hers: node(id: "contact_{CARL}") {{ id }}
      deal: node(id: "deal_{DEAL}") {{ id }}
      company(id: "company_{BOLT}") {{ name parent {{ name }} }}
      campaign(id: "campaign_{SPRING}") {{ touchpoints {{ totalCount nodes {{ contact {{ firstName }} }} }} }}
      member(id: "member_{ANNA}") {{ ownedContacts {{ nodes {{ firstName company {{ name }} }} }} }}
    }}"""
    found = await answered(world, document, with_personal_data(Reach.OWN, ANNA))
    assert found["mine"] == {"firstName": "Ada", "company": None}  # Acme has no owner
    assert found["other"] is found["hers"] is found["deal"] is None
    assert found["company"] == {"name": "Bolt", "parent": None}
    assert found["campaign"]["touchpoints"]["totalCount"] == 4
    assert len(found["member"]["ownedContacts"]["nodes"]) == 2
    zoe = await answered(world, document, with_personal_data(Reach.OWN, ZOE))
    assert zoe["campaign"] == {"touchpoints": {"totalCount": 0, "nodes": []}}
    assert zoe["member"] == {"ownedContacts": {"nodes": []}}
    assert (zoe["mine"], zoe["other"]) == (None, {"firstName": "Carl"})


def test_access_to_a_table_follows_from_its_links() -> None:
    visible = {name for name, shape in SHAPES.items() if not shape.is_hidden}
    assert {name for name in visible if has_owner(name)} == {"contact", "company", "deal"}
    assert subject_links("deal_contact") == (("contact_id", "contact"), ("deal_id", "deal"))
    about = {name for name in visible if subject_links(name)}
    about_all = {name for name in visible if SHAPES[name].needs_reach_all}
    assert about_all == {"api_key", "audit_event", "import_job"}
    of_imports = {"import_file", "import_count", "import_reason"}
    assert about == {"touchpoint", "handoff", "stage_entry", "reported_stage", "deal_contact", *of_imports}


async def test_a_record_without_an_owner_is_reached_by_teams_and_not_by_own(world: Database) -> None:
    document = f"""{{ companies {{ totalCount nodes {{ name }} }} deals {{ totalCount nodes {{ name }} }}
      company(id: "company_{ACME}") {{ name }} node(id: "deal_{DEAL}") {{ id }}
      contactRoles: dealContacts {{ totalCount }} contact(id: "contact_{ADA}") {{ company {{ name }} }} }}"""
    team = await answered(world, document, with_personal_data(Reach.TEAM, ANNA))
    assert [row["name"] for row in team["companies"]["nodes"]] == ["Acme", "Bolt"]
    assert [row["name"] for row in team["deals"]["nodes"]] == ["First"]
    assert (team["company"], team["node"]) == ({"name": "Acme"}, {"id": f"deal_{DEAL}"})
    assert team["contactRoles"] == {"totalCount": 1}
    assert team["contact"] == {"company": {"name": "Acme"}}
    own = await answered(world, document, with_personal_data(Reach.OWN, ANNA))
    assert ([row["name"] for row in own["companies"]["nodes"]], own["deals"]["totalCount"]) == (["Bolt"], 0)
    assert own["company"] is own["node"] is None
    # Whoever is in no team, and a machine without a member, reach with TEAM what nobody owns, and no more.
    for member in (uid(99), None):
        loner = await answered(world, document, with_personal_data(Reach.TEAM, member))
        assert [row["name"] for row in loner["companies"]["nodes"]] == ["Acme"]
        assert loner["contact"] is None


# Ada (Acme) and Bob are Anna's, Bolt is her company; Carl (Acme) is Zoe's. Acme is nobody's.
HIDDEN_FROM_ANNA = [
    ("contacts", {"company": {}}, []),
    ("contacts", {"companyId": {"isNull": False}}, []),
    ("contacts", {"companyId": {"eq": f"company_{ACME}"}}, []),
    ("contacts", {"companyId": {"in": [f"company_{ACME}"]}}, []),
    ("contacts", {"not": {"companyId": {"isNull": True}}}, []),
    ("contacts", {"company": {"name": {"startsWith": "A"}}}, []),
    ("contacts", {"not": {"company": {"name": {"startsWith": "A"}}}}, ["Ada", "Bob"]),
    ("contacts", {"dealRoles": {"some": {}}}, []),
    ("contacts", {"dealRoles": {"none": {"role": {"eq": "decides"}}}}, ["Ada", "Bob"]),
    ("contacts", {"dealRoles": {"every": {"role": {"eq": "nothing"}}}}, ["Ada", "Bob"]),
    ("contacts", {"mergedContacts": {"some": {}}}, ["Ada"]),
    ("contacts", {"mergedContacts": {"some": {"owner": {"name": {"eq": "Zoe"}}}}}, []),
    ("contacts", {"company": {"isNull": True}}, ["Ada", "Bob"]),
    ("contacts", {"company": {"id": {"isNull": True}}}, ["Ada", "Bob"]),
    ("contacts", {"company": {"or": [{"isNull": True}, {"name": {"eq": "Acme"}}]}}, ["Ada", "Bob"]),
    ("contacts", {"company": {"isNull": False}}, []),
    ("companies", {"parent": {}}, []),
    ("companies", {"parentId": {"isNull": False}}, []),
    ("companies", {"contacts": {"some": {}}}, []),
    ("campaigns", {"touchpoints": {"some": {"contact": {"firstName": {"eq": "Carl"}}}}}, []),
    ("campaigns", {"touchpoints": {"every": {"contact": {"owner": {"name": {"eq": "Anna"}}}}}}, ["Spring"]),
    ("members", {"ownedContacts": {"some": {"firstName": {"eq": "Carl"}}}}, []),
    ("members", {"ownedContacts": {"some": {"firstName": {"eq": "Ada"}}}}, ["Anna"]),
    ("members", {"ownedDeals": {"some": {}}}, []),
]


@pytest.mark.parametrize(("field", "where", "found"), HIDDEN_FROM_ANNA)
async def test_a_filter_reveals_nothing_about_records_out_of_reach(
    field: str, where: dict[str, object], found: list[str], world: Database
) -> None:
    kind, column = {
        "contacts": ("Contact", "firstName"),
        "companies": ("Company", "name"),
        "campaigns": ("Campaign", "name"),
        "members": ("Member", "name"),
    }[field]
    document = f"query ($where: {kind}Where) {{ {field}(where: $where) {{ totalCount nodes {{ {column} }} }} }}"
    rows = (await answered(world, document, with_personal_data(Reach.OWN, ANNA), where=where))[field]
    assert [row[column] for row in rows["nodes"]] == found
    assert rows["totalCount"] == len(found)


async def test_records_out_of_reach_neither_sort_nor_appear_in_a_cursor(world: Database) -> None:
    document = """query ($after: String) {
      contacts(first: 1, after: $after, orderBy: [{ company: { name: ASC } }, { firstName: DESC }]) {
        edges { cursor node { firstName } } pageInfo { hasNextPage }
    } }"""
    walked: list[str] = []
    after, has_more = None, True
    while has_more:
        page = (await answered(world, document, with_personal_data(Reach.OWN, ANNA), after=after))["contacts"]
        walked.append(page["edges"][0]["node"]["firstName"])
        after = page["edges"][0]["cursor"]
        has_more = page["pageInfo"]["hasNextPage"]
        assert b"Acme" not in base64.b64decode(after)
    assert walked == ["Bob", "Ada"]  # sorted by her company, which is hidden from Anna, Ada would be the first
    everybody = (await answered(world, document))["contacts"]
    assert everybody["edges"][0]["node"]["firstName"] == "Carl"


async def test_a_cursor_of_another_principal_reveals_nothing_more(world: Database) -> None:
    document = """query ($after: String) {
      companies(first: 1, after: $after, orderBy: [{ name: ASC }]) { edges { cursor } nodes { name }
        pageInfo { hasPreviousPage } } }"""
    cursor = (await answered(world, document))["companies"]["edges"][0]["cursor"]
    page = (await answered(world, document, with_personal_data(Reach.OWN, ANNA), after=cursor))["companies"]
    assert page["nodes"] == [{"name": "Bolt"}]
    assert page["pageInfo"] == {"hasPreviousPage": False}  # Acme comes before it, and is hidden from Anna


# ------------------------------------------------------------------------------------------------- the planner's source


def tables_in(source: str) -> Iterator[str]:
    """Yield the tables that string literals of a module name after `from` or `join`, docstrings excepted."""
    tree = ast.parse(source)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            names = re.findall(r"\b(?:from|join)\s+(?:lateral\s+)?([a-z_]+)", node.value)
            yield from (name for name in names if name in SHAPES)


@pytest.mark.parametrize("module", sorted(PLANNER.glob("*.py")), ids=lambda path: path.stem)
def test_the_planner_reads_tables_only_through_their_scope(module: Path) -> None:
    assert set(tables_in(module.read_text())) <= UNSCOPED


def test_a_table_that_is_read_directly_is_found() -> None:
    source = "(select r.id from contact r left join deal d on true)"
    assert list(tables_in(f"x = {source!r}")) == ["contact", "deal"]
    assert "accord_version" in set(tables_in((PLANNER / "present_stage.py").read_text()))
