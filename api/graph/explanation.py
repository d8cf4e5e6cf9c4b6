"""An explanation of a request as text, for `accord explain` and for the header `Accord-Explain`."""

from graphql import GraphQLError

from api.db import Database
from api.graph.gateway import Explanation
from api.plan.cost.price import MAX_COST, Price
from api.plan.cost.response_records import MAX_RECORDS
from api.plan.explain_text import plan_text, selection_text, statement_text
from api.plan.selection import RootField


async def explanation_sections(
    database: Database, explanation: Explanation, price: Price, *, is_run: bool
) -> list[tuple[str, str]]:
    """Return the sections with their titles: selection, cost, statement with its values, and PostgreSQL's plan.

    `is_run`: run the statement, so that the plan has actual times and row counts. The statement is bound to the
    principal of the explanation.
    """
    sections = [
        ("Selection", _selection(explanation)),
        ("Cost", f"{price.cost:,} of {MAX_COST:,}; {price.records:,} records at most, of {MAX_RECORDS:,}"),
    ]
    if explanation.ready is None:
        return sections
    writer = "PostgreSQL" if explanation.is_json else "the executor"
    statement = statement_text(explanation.ready.text, explanation.ready.values)
    sections.append((f"Statement (the response is written by {writer})", statement))
    async with database.read() as session:
        plan = await plan_text(session, explanation.ready, is_run=is_run)
    return [*sections, ("Plan, as it ran" if is_run else "Plan", plan)]


def _selection(explanation: Explanation) -> str:
    lines = []
    for key, field in explanation.planned.fields.items():
        if isinstance(field, Exception):
            message = field.message if isinstance(field, GraphQLError) else str(field)
            lines.append(f"{key or 'the root fields'}: {message}")
        elif not isinstance(field, RootField):
            lines.append(f"{key}: reads no records, resolved by the executor")
    roots = explanation.planned.roots
    return "\n".join((*([selection_text(roots)] if roots else []), *lines))
