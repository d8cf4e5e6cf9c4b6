"""The mutations of touchpoints. The inputs of logging are derived from the table, as those of records are."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from api.graph.declared import Input, InputType, TypeRef
from api.graph.mutations.command_mutation import command_mutation
from api.graph.mutations.mutation import MAX_ROWS, Mutation, outcome_value, record_of
from api.graph.mutations.record_inputs import external_key_input, read_record_input, value_inputs
from api.graph.mutations.record_mutations import BulkMode
from api.workflows.outcome import Outcome, bulk_outcome
from api.workflows.touchpoints.log_touchpoints import log_touchpoint, log_touchpoints
from api.workflows.touchpoints.void_touchpoint import VoidTouchpoint, void_touchpoint
from api.workflows.unit_of_work import UnitOfWork, Workflow
from schema.access.rights import Permission
from schema.tables import SHAPES

_SHAPE = SHAPES["touchpoint"]
_ROW_TYPE = "LogTouchpointsRow"
_DEFAULTS = {
    "occurredAt": "By default now. Not in the future.",
    "member": "By default you; pass null if no member took part.",
    "teamKind": "By default that of the member's team.",
}
_LOGGED = (
    "Left out, the instant is now, the member is you, and the kind of team is that of the member's team. A touchpoint"
    " is a fact, and is not edited: with an external key that was logged before, with the same values, nothing is"
    " written; with other values, that is an error."
)


def _inputs() -> Iterator[Input]:
    """Yield the input fields of one touchpoint. The instant has a default that the table does not have."""
    for field in value_inputs(_SHAPE, is_new=True):
        default = _DEFAULTS.get(field.name)
        if default is None:
            yield field
        else:
            yield replace(field, doc=f"{field.doc} {default}", type=TypeRef(field.type.name))
    yield external_key_input(is_required=False)


def _prepare(given: Mapping[str, Any]) -> Workflow:
    row = read_record_input(_SHAPE, given, is_new=True)

    async def workflow(work: UnitOfWork) -> Outcome:
        return await log_touchpoint(work, row)

    return workflow


def _prepare_rows(given: Mapping[str, Any]) -> Workflow:
    rows = [
        read_record_input(_SHAPE, row, is_new=True, path=("rows", str(place)))
        for place, row in enumerate(given["rows"])
    ]
    is_each = given.get("mode") == BulkMode.EACH

    async def workflow(work: UnitOfWork) -> Outcome:
        return bulk_outcome(await log_touchpoints(work, rows), is_each=is_each)

    return workflow


TOUCHPOINT_MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "logTouchpoint",
        f"Log a touchpoint: an interaction with a person that happened. {_LOGGED}",
        Permission.EDIT_RECORDS,
        tuple(_inputs()),
        _prepare,
        (record_of("touchpoint"),),
        (outcome_value("status", "What became of the touchpoint.", TypeRef("WriteStatus")),),
    ),
    Mutation(
        "logTouchpoints",
        f"Log many touchpoints, {MAX_ROWS:,} at most. {_LOGGED}",
        Permission.EDIT_RECORDS,
        (
            Input("rows", "The touchpoints.", TypeRef(_ROW_TYPE).required.listed.required),
            Input("mode", "What to do if some rows are wrong. By default ALL_OR_NOTHING.", TypeRef("BulkMode")),
        ),
        _prepare_rows,
        rows_of="touchpoint",
        nested_types=(InputType(_ROW_TYPE, "One touchpoint of `logTouchpoints`.", tuple(_inputs())),),
    ),
    command_mutation(
        VoidTouchpoint,
        void_touchpoint,
        Permission.EDIT_RECORDS,
        (record_of("contact", "The person of the touchpoint; null if nothing was written, or if not visible to you."),),
        (outcome_value("voided_id", "The id of the voided touchpoint.", TypeRef("ID")),),
    ),
)
