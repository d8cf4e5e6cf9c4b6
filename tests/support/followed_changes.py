"""Following changes in tests: pages of the root field `changes`."""

from typing import Any

from api.access.principal import LOCAL_OPERATOR, Principal
from api.db import Database
from tests.support.graphql import answered

CHANGES = """
query ($after: String, $first: Int, $types: [ChangeType!], $records: [ChangedRecordType!]) {
  changes(after: $after, first: $first, types: $types, recordTypes: $records) {
    nodes {
      type recordType recordId stage
      record { id ... on Contact { firstName jobTitle owner { id } mergedInto { id } } ... on Deal { name } }
      contact { id }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""


async def page(
    database: Database, after: str | None = None, who: Principal = LOCAL_OPERATOR, **arguments: object
) -> Any:  # noqa: ANN401 - JSON of any shape
    """Read one page of changes."""
    return (await answered(database, CHANGES, who, after=after, **arguments))["changes"]


async def end(database: Database, who: Principal = LOCAL_OPERATOR) -> str:
    """Return the cursor after all changes that there are."""
    cursor = (await page(database, who=who, first=0))["pageInfo"]["endCursor"]
    assert isinstance(cursor, str)
    return cursor


async def types_after(database: Database, cursor: str, who: Principal = LOCAL_OPERATOR) -> list[tuple[str, str]]:
    """Return the types and the ids of the changes after a cursor."""
    return [(node["type"], node["recordId"]) for node in (await page(database, cursor, who))["nodes"]]
