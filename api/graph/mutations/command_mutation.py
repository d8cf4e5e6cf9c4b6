"""Mutations that are verbs: the input type is derived from the command of a workflow, a frozen dataclass.

A field of the command is declared with `argument`. Its annotation decides the input's type: a scalar, a closed
vocabulary, `Reference` with the table that it refers to, `MoneyValue`, or a tuple of these or of other commands.
"""

import dataclasses
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from api.errors import AccordError
from api.graph.declared import Input, InputType, Output, TypeRef
from api.graph.derived.naming import camel
from api.graph.derived.scalars import SCALAR_NAMES
from api.graph.mutations.mutation import Mutation, PayloadRecord
from api.graph.mutations.record_inputs import EXTERNAL_KEY, MONEY_INPUT, REFERENCE, read_external_key, read_reference
from api.workflows.commands import MoneyValue, OpaqueId
from api.workflows.outcome import Outcome, Rejected
from api.workflows.records.record_input import ExternalKeyValue, Reference
from api.workflows.unit_of_work import UnitOfWork, Workflow
from api.workflows.user_errors import FieldPath, UserError
from schema.access.rights import Permission
from schema.vocab import Vocabulary
from schema.writes.user_errors import UserErrorCode

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Command = TypeVar("Command", bound="DataclassInstance")
_VALUE_TYPES: dict[type, str] = {
    Reference: REFERENCE,
    ExternalKeyValue: EXTERNAL_KEY,
    MoneyValue: MONEY_INPUT,
    OpaqueId: "ID",
}


def command_inputs(command: type) -> tuple[Input, ...]:
    """Return the input fields of a command."""
    hints = get_type_hints(command)
    return tuple(
        Input(camel(field.name), field.metadata["doc"], _type_ref(hints[field.name], field))
        for field in dataclasses.fields(command)
    )


def nested_command_types(command: type) -> Iterator[InputType]:
    """Yield the input types of the commands in lists of a command."""
    for annotation in get_type_hints(command).values():
        inner = _inner(annotation)
        if _is_command(inner):
            yield InputType(inner.__name__, (inner.__doc__ or "").strip(), command_inputs(inner))
            yield from nested_command_types(inner)


def command_mutation(
    command: type[Command],
    workflow: Callable[[UnitOfWork, Command], Awaitable[Outcome]],
    permission: Permission,
    records: tuple[PayloadRecord, ...],
    values: tuple[Output, ...] = (),
) -> Mutation:
    """Return the mutation of a workflow: named after the workflow, and described by its docstring's first paragraph."""
    name = camel(workflow.__name__)
    doc = " ".join((workflow.__doc__ or "").strip().partition("\n\n")[0].split())
    return Mutation(
        name,
        doc,
        permission,
        command_inputs(command),
        run_command(command, workflow),
        records,
        values,
        nested_types=tuple(nested_command_types(command)),
    )


def run_command(
    command: type[Command], workflow: Callable[[UnitOfWork, Command], Awaitable[Outcome]]
) -> Callable[[Mapping[str, Any]], Workflow]:
    """Return the function that turns a coerced input into the workflow of a command.

    An input that cannot be read, such as an id of another type, rejects the mutation. The workflow checks the rest of
    it, with a reference to nothing in the place of the id, so that the caller gets all that is wrong at once.
    """

    def prepare(given: Mapping[str, Any]) -> Workflow:
        errors: list[UserError] = []
        read = read_command(command, given, (), errors)

        async def run(work: UnitOfWork) -> Outcome:
            if not errors:
                return await workflow(work, read)
            try:
                await workflow(work, read)
                found = tuple(work.errors)
            except Rejected as rejected:
                found = rejected.outcome.errors
            raise Rejected(Outcome(errors=(*errors, *_without_echoes(found, errors))))

        return run

    return prepare


def _without_echoes(found: Sequence[UserError], unreadable: Sequence[UserError]) -> tuple[UserError, ...]:
    """Return the errors of an input without those that only follow from ids that could not be read."""
    unknown = {error.path[:-1] for error in unreadable}
    return tuple(error for error in found if error.path not in unknown)


def read_command(command: type[Command], given: Mapping[str, Any], path: FieldPath, errors: list[UserError]) -> Command:
    """Read a coerced input into a command; note what cannot be read."""
    values = {
        field.name: _read(inner, field, given[name], (*path, field.name), errors)
        for name, inner, field in _fields(command)
        if name in given
    }
    return command(**values)


@cache
def _fields(command: type) -> "tuple[tuple[str, type, dataclasses.Field[Any]], ...]":
    """Return the fields of a command with the names of their inputs, and the class of a value, or of one in a list."""
    hints = get_type_hints(command)
    return tuple((camel(field.name), _inner(hints[field.name]), field) for field in dataclasses.fields(command))


def _read(
    inner: type,
    field: "dataclasses.Field[Any]",
    value: Any,  # noqa: ANN401 - a coerced input
    path: FieldPath,
    errors: list[UserError],
) -> Any:  # noqa: ANN401 - the value of any field
    if value is None:
        return None
    if isinstance(value, list):
        return tuple(_read(inner, field, it, (*path, str(at)), errors) for at, it in enumerate(value))
    if inner is Reference:
        try:
            return read_reference(field.metadata["table"], value)
        except AccordError as error:
            errors.append(UserError((*path, "id"), UserErrorCode.INVALID, str(error)))
            return Reference()
    if inner is ExternalKeyValue:
        return read_external_key(value)
    if inner is MoneyValue:
        return MoneyValue(value["amount"], value["currency"])
    return read_command(inner, value, path, errors) if _is_command(inner) else value


def _type_ref(annotation: object, field: "dataclasses.Field[Any]") -> TypeRef:
    inner = _inner(annotation)
    name = _VALUE_TYPES.get(inner)
    if name is not None:
        ref = TypeRef(name)
    elif inner in SCALAR_NAMES:
        ref = SCALAR_NAMES[inner]
    elif issubclass(inner, Vocabulary):
        ref = TypeRef(inner.graphql_name())
    else:
        ref = TypeRef(inner.__name__)
    if _is_list(annotation):
        ref = ref.listed
    return ref.required if field.default is dataclasses.MISSING else ref


def _is_list(annotation: object) -> bool:
    if get_origin(annotation) in (Union, UnionType):
        return any(_is_list(argument) for argument in get_args(annotation))
    return get_origin(annotation) is tuple


def _inner(annotation: object) -> type:
    """Return the class within `X | None` and `tuple[X, ...]`."""
    while get_origin(annotation) is not None:
        annotation = next(it for it in get_args(annotation) if it is not type(None) and it is not ...)
    if not isinstance(annotation, type):
        raise TypeError(f"{annotation} has no input type")
    return annotation


def _is_command(inner: type) -> bool:
    return dataclasses.is_dataclass(inner) and inner not in _VALUE_TYPES
