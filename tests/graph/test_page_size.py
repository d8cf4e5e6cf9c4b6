from api.db import Database
from tests.support.graphql import answered, put, uid


async def test_a_page_has_fifty_rows_by_default(database: Database) -> None:
    async with database.write() as session:
        await put(session, "team", *({"id": uid(n), "name": f"Team {n}", "kind": "SALES"} for n in range(1, 61)))
    found = await answered(
        database, "query ($n: Int) { teams { nodes { id } } same: teams(first: $n) { nodes { id } } }", n=None
    )
    assert (len(found["teams"]["nodes"]), len(found["same"]["nodes"])) == (50, 50)
