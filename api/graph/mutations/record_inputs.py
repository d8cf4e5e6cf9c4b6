"""The input fields of a table's records, and how an input is read into values and links by column."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from api.errors import AccordError
from api.graph.declared import Input, InputType, TypeRef
from api.graph.derived.naming import camel
from api.graph.derived.scalars import column_type
from api.identity.ids import parse_id
from api.workflows.records.record_input import ExternalKeyValue, RecordInput, Reference, settable_columns
from api.workflows.user_errors import FieldPath, UserError
from schema.base import ColumnShape, TableShape
from schema.tables import SHAPES
from schema.writes.user_errors import UserErrorCode

REFERENCE, EXTERNAL_KEY, MONEY_INPUT = "RecordReference", "ExternalKeyInput", "MoneyInput"
_STRING, _INT = TypeRef("String"), TypeRef("Int")

IDEMPOTENCY_KEY = Input(
    "idempotencyKey",
    "A key of your choice, such as a random UUID. The same mutation with the same key and input is carried out once:"
    " for 24 hours, repetitions return the first result. Send it again with the same key if you got no response.",
    _STRING,
)
_VERSION = "The version that you read (`rowVersion`). If somebody changed the record since, nothing is written."
_EXTERNAL_KEY = "The record's key in another system. It is stored with the record."
_EFFECTIVE_AT = (
    "Since when the values are true, if that was earlier than now. Not before the last change of the record."
)

INPUT_TYPES = (
    InputType(
        REFERENCE,
        "A record, named by its id or by its key in another system.",
        (
            Input("id", "The id of the record, from its field `id`.", TypeRef("ID")),
            Input("externalKey", "The record's key in another system.", TypeRef(EXTERNAL_KEY)),
        ),
        is_one_of=True,
    ),
    InputType(
        EXTERNAL_KEY,
        "The key of a record in another system.",
        (
            Input("source", "The name of the other system, such as hubspot.", _STRING.required),
            Input("externalId", "The record's key in that system.", _STRING.required),
        ),
    ),
    InputType(
        MONEY_INPUT,
        "An amount of money.",
        (
            Input("amount", "The amount.", TypeRef("Decimal").required),
            Input("currency", "The currency (ISO 4217).", TypeRef("Currency").required),
        ),
    ),
)


def value_inputs(shape: TableShape, *, is_new: bool, is_partial: bool = False) -> Iterator[Input]:
    """Yield the input fields of a table's columns. A new record needs some of them, unless it `is_partial`."""
    currencies = {column.note.currency for column in shape.columns}
    for column in settable_columns(shape, is_new=is_new).values():
        if column.name in currencies:
            continue
        needs = is_new and not is_partial and not column.is_nullable and not column.has_default
        of_type = _input_type(column)
        name = camel(column.link.name if column.link is not None else column.name)
        yield Input(name, column.doc, of_type.required if needs else of_type, deprecated=column.note.deprecated)


def record_key_inputs(shape: TableShape) -> tuple[Input, ...]:
    """Return the fields that name an existing record and the version that the caller read."""
    return (
        Input("id", f"The id of the {shape.type_name}.", TypeRef("ID").required),
        Input("expectedVersion", _VERSION, _INT.required),
    )


def external_key_input(*, is_required: bool) -> Input:
    """Return the field for the key in another system."""
    of_type = TypeRef(EXTERNAL_KEY)
    return Input("externalKey", _EXTERNAL_KEY, of_type.required if is_required else of_type)


def effective_at_inputs(shape: TableShape) -> tuple[Input, ...]:
    """Return the field for the beginning of the values, if the table has a history."""
    return (Input("effectiveAt", _EFFECTIVE_AT, TypeRef("DateTime")),) if shape.has_history else ()


def optional_version_input() -> Input:
    """Return the field for the version that the caller read, where it may be left out."""
    return Input("expectedVersion", f"{_VERSION} If left out, it is not compared.", _INT)


def read_record_input(
    shape: TableShape, given: Mapping[str, Any], *, is_new: bool, path: FieldPath = ()
) -> RecordInput:
    """Read an input into values and links by column. What is wrong with its ids is noted in it."""
    values: dict[str, object] = {}
    links: dict[str, Reference | None] = {}
    errors: list[UserError] = []
    columns = _columns_by_input(shape.name, is_new=is_new)
    for name, value in given.items():
        column = columns.get(name)
        if column is None:
            continue
        if column.link is not None:
            try:
                links[column.name] = read_reference(column.link.target, value)
            except AccordError as error:
                errors.append(UserError((*path, column.link.name, "id"), UserErrorCode.INVALID, str(error)))
        elif column.note.currency is not None:
            values[column.name] = value and value["amount"]
            values[column.note.currency] = value and value["currency"]
        else:
            values[column.name] = value
    id_ = None
    if "id" in given:
        try:
            id_ = parse_id(shape.name, given["id"])
        except AccordError as error:
            errors.append(UserError((*path, "id"), UserErrorCode.INVALID, str(error)))
    return RecordInput(
        values,
        links,
        id_,
        read_external_key(given.get("externalKey")),
        given.get("expectedVersion"),
        given.get("effectiveAt"),
        given.get("restore") is True,
        path,
        tuple(errors),
    )


@cache
def _columns_by_input(table: str, *, is_new: bool) -> Mapping[str, ColumnShape]:
    """Return the columns that input fields fill, by the names of the fields."""
    columns = settable_columns(SHAPES[table], is_new=is_new).values()
    return {camel(column.link.name if column.link is not None else column.name): column for column in columns}


def read_reference(table: str, given: Mapping[str, Any] | None) -> Reference | None:
    """Read a RecordReference. Errors: BAD_INPUT if the id is malformed or of another table."""
    if given is None:
        return None
    if given.get("id") is not None:
        return Reference(id=parse_id(table, given["id"]))
    return Reference(key=read_external_key(given["externalKey"]))


def read_external_key(given: Mapping[str, Any] | None) -> ExternalKeyValue | None:
    """Read an ExternalKeyInput."""
    return None if given is None else ExternalKeyValue(given["source"], given["externalId"])


def _input_type(column: ColumnShape) -> TypeRef:
    if column.link is not None:
        return TypeRef(REFERENCE)
    return TypeRef(MONEY_INPUT) if column.note.currency is not None else column_type(column)
