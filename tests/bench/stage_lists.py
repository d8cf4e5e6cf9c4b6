"""Lists by the present stage of people, beside hand-written SQL for the same rows."""

import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import orjson

from api.access.evaluation import CURRENT_EVALUATION
from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.graph.contract import gateway
from api.graph.request import GraphQLRequest
from tests.bench.funnel_meter import Comparison, Cost, Side, compare, metered

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_BY_HAND = Path(__file__).with_name("stage_lists.sql")
_THEN = "2026-06-01T00:00:00Z"
_PAGE = "{ nodes { id: recordId firstName stage { key rank } } }"
_COUNT = "{ totalCount }"
_GROUPS = "{ groupBy(keys: [{ stage: EACH }]) { key { stage { key } } count } }"
_MQL = 'stage: { key: { eq: "mql" } }'
# The arguments and the selection of the list `contacts`, by the name of the hand-written statement.
_LISTS = {
    "page_in_stage": (f"where: {{ {_MQL} }}", _PAGE),
    "count_in_stage": (f"where: {{ {_MQL} }}", _COUNT),
    "page_in_stage_newest": (f"where: {{ {_MQL} }}, orderBy: [{{ stage: {{ since: DESC }} }}]", _PAGE),
    "page_by_rank": ("orderBy: [{ stage: { rank: DESC } }, { stage: { since: DESC } }]", _PAGE),
    "page_by_rank_ascending": ("orderBy: [{ stage: { rank: ASC } }, { stage: { since: ASC } }]", _PAGE),
    "groups": ("search: null", _GROUPS),
    "groups_of_owner": ('where: { ownerId: { eq: ":owner" } }', _GROUPS),
    "page_of_owner_in_stage": (f'where: {{ {_MQL}, ownerId: {{ eq: ":owner" }} }}', _PAGE),
    "count_of_country_in_stage": (f'where: {{ {_MQL}, country: {{ eq: "DE" }} }}', _COUNT),
    "counted_in_stage": (f"where: {{ {_MQL}, isCounted: {{ eq: true }} }}", _COUNT),
    "count_in_stage_then": (f'asOf: "{_THEN}", where: {{ {_MQL} }}', _COUNT),
    "page_by_rank_then": (
        f'asOf: "{_THEN}", orderBy: [{{ stage: {{ rank: DESC }} }}, {{ stage: {{ since: DESC }} }}]',
        _PAGE,
    ),
    "groups_then": (f'asOf: "{_THEN}"', _GROUPS),
}


async def compare_stage_lists(connection: Connection, dsn: str, rounds: int) -> list[Comparison]:
    """Compare lists of people by their present stage. Both sides must return the same rows.

    As in the server, our statements are prepared with a generic plan; those by hand have their values in the text.
    """
    owner = await connection.fetchval(
        "select owner_id from contact where owner_id is not null group by 1 order by count(*) desc limit 1"
    )
    values = {
        ":evaluation": f"uuid '{await connection.fetchval(f'select {CURRENT_EVALUATION}')}'",
        ":owner": f"uuid '{owner}'",
        ":then": f"timestamptz '{_THEN}'",
    }
    comparisons = []
    await connection.execute("set plan_cache_mode = force_generic_plan")
    for title, text in _by_hand().items():
        arguments, selection = _LISTS[title]
        document = f"{{ contacts({arguments}) {selection} }}".replace(":owner", f"member_{owner}")
        async with Database.open(dsn, size=1) as database:
            ours = await _ours(connection, database, document)
        theirs = await connection.prepare(re.sub(":(evaluation|owner|then)", lambda mark: values[mark[0]], text))
        _require_equal(title, await ours(), await theirs.fetchval())
        sides = _side(connection, ours), _side(connection, theirs.fetchval)
        comparisons.append(await compare(title, *sides, rounds))
    await connection.execute("reset plan_cache_mode")
    return comparisons


async def _ours(connection: Connection, database: Database, document: str) -> Callable[[], Awaitable[Any]]:
    request = GraphQLRequest(document, {})
    validated = gateway().validated(request)
    assert not validated.errors, validated.errors
    ready = gateway().explain(await gateway().plan(database, request, validated, LOCAL_OPERATOR)).ready
    assert ready is not None
    statement = await connection.prepare(ready.text)

    async def run() -> Any:  # noqa: ANN401 - what the driver returns
        return await statement.fetchval(*ready.values)

    return run


def _by_hand() -> Mapping[str, str]:
    """Return the statements by name. A block begins with a comment line that is only the name."""
    parts = re.split(r"^-- (\w+)$", _BY_HAND.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _require_equal(title: str, ours: bytes, theirs: list[Mapping[str, Any]]) -> None:
    """End the benchmark if the rows of the two sides differ."""
    found = _rows(orjson.loads(ours)["contacts"])
    if found != theirs:
        raise SystemExit(f"{title}: Accord returns {found}, the hand-written SQL {theirs}, so they cannot be compared.")


def _rows(contacts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "totalCount" in contacts:
        return [{"n": contacts["totalCount"]}]
    if "nodes" in contacts:
        return [{key: node[key] for key in ("id", "firstName")} | (node["stage"] or {}) for node in contacts["nodes"]]
    return [{"key": (group["key"]["stage"] or {}).get("key"), "n": group["count"]} for group in contacts["groupBy"]]


def _side(connection: Connection, request: Callable[[], Awaitable[object]]) -> Side:
    async def run() -> Cost:
        async with metered(connection.get_server_pid()) as cost:
            await request()
        return cost

    return run
