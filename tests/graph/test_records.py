from api.db import Database
from tests.graph.asking import answered, put, uid


async def test_a_record_comes_with_its_links_under_the_asked_names(database: Database) -> None:
    async with database.write() as session:
        await put(session, "company", {"id": uid(1), "name": "Acme"})
        await put(session, "contact", {"id": uid(2), "first_name": "Ada", "company_id": uid(1)})
    found = await answered(
        database,
        """query ($id: ID!) {
          contact(id: $id) { __typename given: firstName company { name contacts { totalCount nodes { id } } } }
        }""",
        id=f"contact_{uid(2)}",
    )
    company = {"name": "Acme", "contacts": {"totalCount": 1, "nodes": [{"id": f"contact_{uid(2)}"}]}}
    assert found == {"contact": {"__typename": "Contact", "given": "Ada", "company": company}}
