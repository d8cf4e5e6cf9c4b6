"""The root field `personReport`: everything that is held on a person."""

from api.graph.context import Info
from api.graph.declared import Input, Output, TypeRef
from api.identity.ids import parse_id
from api.workflows.people.person_report import person_report
from schema.access.rights import LOWEST_LEVEL, Permission


def person_report_fields() -> tuple[Output, ...]:
    """Return the root field with the report on a person."""
    doc = (
        "Everything that is held on a person, as the text of a JSON object with rows by table; null if you do not reach"
        " the contact. Contacts that are merged with it are the same person. Needs the right PERSONAL_DATA and the"
        f" access level {LOWEST_LEVEL[Permission.ERASE_PEOPLE]}."
    )
    contact = Input("contact", "The id of the contact.", TypeRef("ID").required)
    return (Output("personReport", doc, TypeRef("String"), _person_report, (contact,)),)


async def _person_report(_source: object, info: Info, contact: str) -> str | None:
    context = info.context
    async with context.snapshot() as session:
        return await person_report(session, context.principal, parse_id("contact", contact))
