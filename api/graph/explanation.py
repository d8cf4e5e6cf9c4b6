"""How a question is answered, stage by stage, as text: for `accord explain` and the header of the same name."""

from graphql import GraphQLError

from api.db import Database
from api.graph.context import RequestError
from api.graph.gateway import Explanation
from api.plan.cost import MOST_COST
from api.plan.selection import Root
from api.plan.shown import plan_text, selection_text, statement_text


async def explanation_sections(database: Database, found: Explanation, *, is_run: bool) -> list[tuple[str, str]]:
    """The explanation_sections by their titles: what is selected, the cost, the statement with its values, PostgreSQL's plan."""
    told = [("Selection", _selected(found)), ("Cost", f"{found.cost:,} records at most, of {MOST_COST:,}")]
    if found.ready is None:
        return told
    who = "PostgreSQL" if found.is_json else "the executor"
    told.append((f"Statement (the answer is written by {who})", statement_text(found.ready.text, found.ready.values)))
    async with database.read() as session:
        plan = await plan_text(session, found.ready, is_run=is_run)
    return [*told, ("Plan, as it ran" if is_run else "Plan", plan)]


def _selected(found: Explanation) -> str:
    lines = []
    for key, root in found.roots.items():
        if isinstance(root, RequestError):
            lines.append(f"{key or 'the root fields'}: {root.message if isinstance(root, GraphQLError) else root}")
        elif root is None:
            lines.append(f"{key}: no record, the executor resolves it")
    roots = [each for each in found.roots.values() if isinstance(each, Root)]
    return "\n".join((*([selection_text(roots)] if roots else []), *lines))
