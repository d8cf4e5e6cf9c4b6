"""A stage by one rule leaf, beside hand-written SQL for the same entries: `score`, `silence`, `reported`, and `after`.

The ladder has no exits: suspect, inquiry, and the stage of the leaf. Both sides make the entries of all three stages.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from api.accord.in_force import AccordPeriod
from api.db import Connection, ScratchSession
from api.funnel.derivation import derived_entries
from api.sql import Sql
from schema.accord import Accord
from schema.base import new_id
from tests.bench.funnel_evaluation import COLUMNS, require_equal, rolled_back
from tests.bench.funnel_meter import Comparison, compare

_BY_HAND = Path(__file__).with_name("funnel_leaves.sql")
RULES: Mapping[str, dict[str, Any]] = {
    "score": {
        "score": {
            "terms": [{"kind": "FORM", "points": 10}, {"kind": ["EMAIL_CLICKED", "PAGE_VISIT"], "points": 3}],
            "half_life": "30 days",
            "at_least": 20,
        }
    },
    "silence": {"silence": "60 days"},
    "reported": {"reported": {"source": "crm", "stage": ["Qualified", "Deal"]}},
    "after": {"touches": {"team": "SALES", "direction": "OUTBOUND", "after": "inquiry"}},
}


async def compare_leaves(connection: Connection, as_of: datetime, rounds: int) -> list[Comparison]:
    """Compare deriving the entries of each ladder into a temp table; every run is rolled back.

    Errors: SystemExit if the two sides differ.
    """
    return [await _compare(connection, leaf, as_of, rounds) for leaf in RULES]


async def _compare(connection: Connection, leaf: str, as_of: datetime, rounds: int) -> Comparison:
    accord, statements = _ladder(RULES[leaf]), _by_hand(leaf, as_of)

    async def ours(session: ScratchSession) -> None:
        async with derived_entries(session, (AccordPeriod(new_id(), accord),), as_of) as derived:
            found = Sql(f"create temp table found on commit drop as select {COLUMNS} from ({{}}) e", derived)
            await session.run(found)

    async def by_hand(session: ScratchSession) -> None:
        await session.script(statements)

    async with connection.transaction():
        session = ScratchSession(connection)
        await ours(session)
        await by_hand(session)
        await require_equal(connection, "found", "hand_entry")
        if not await connection.fetchval("select exists (select from found where stage = 'probe')"):
            raise SystemExit(f"Nobody enters a stage by {leaf}, so the comparison measures nothing.")
        await session.script("drop table found, hand_entry, hand_life, hand_inquiry, hand_probe")
    return await compare(f"stage by {leaf}", rolled_back(connection, ours), rolled_back(connection, by_hand), rounds)


def _ladder(rule: dict[str, Any]) -> Accord:
    """Suspect, inquiry, and a stage by a rule."""
    rules = {"suspect": {"all": []}, "inquiry": {"touches": {"direction": "INBOUND"}}, "probe": rule}
    stages = [
        {"key": key, "title": key, "group": "g", "owner": "MARKETING", "meaning": "m", "rule": rule}
        for key, rule in rules.items()
    ]
    return Accord.model_validate({"title": "t", "stages": stages, "reporting": {"timezone": "UTC"}})


def _by_hand(leaf: str, as_of: datetime) -> str:
    """The statements for a leaf: the parts of the file that it needs."""
    parts = {}
    for part in _BY_HAND.read_text(encoding="utf-8").split("-- part ")[1:]:
        title, _, text = part.partition("\n")
        parts[title] = text
    chosen = "".join(parts[title] for title in ("common", leaf, "entries"))
    return chosen.replace(":as_of", f"timestamptz '{as_of.isoformat()}'")
