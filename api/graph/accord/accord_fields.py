"""The root fields `accord` and `stages`."""

from api.accord.stored_versions import requested_version
from api.graph.accord.accord_types import ACCORD, AccordPart, attribute_of_part, shown_accords
from api.graph.accord.diff_field import diff_fields
from api.graph.accord.version_connection import version_fields
from api.graph.context import Info
from api.graph.declared import Input, Output, TypeRef


def accord_fields() -> tuple[Output, ...]:
    """Return the root fields about the accord."""
    stages = TypeRef("AccordStage").listed
    version = Input("version", "The number of the version. If left out or null: the one in force.", TypeRef("Int"))
    return (
        Output(
            "accord",
            "The accord in force, or another version of it, of any status. An error (UNKNOWN_VALUE) if there is no"
            " version of this number.",
            TypeRef(ACCORD),
            _accord,
            (version,),
        ),
        Output("stages", "The stages of the accord in force, from the lowest to the highest.", stages, _stages),
        *version_fields(),
        *diff_fields(),
    )


async def _accord(_source: object, info: Info, *, version: int | None = None) -> AccordPart:
    async with info.context.snapshot() as session:
        found = await requested_version(session, version)
    (shown,) = shown_accords((found,))
    return shown


async def _stages(source: object, info: Info) -> object:
    return attribute_of_part("stages")(await _accord(source, info), info)
