"""The mutations as root fields, with the types of their inputs and payloads.

The root fields have no resolvers: `mutation_runner` runs them. The fields of a payload resolve from an outcome to what
the response has, those of records to the id of the record.
"""

from collections.abc import Iterator

from api.graph.declared import Declared, Input, InputType, ObjectType, Output, Resolver, TypeRef
from api.graph.derived.naming import camel
from api.graph.mutations.all_mutations import MUTATIONS
from api.graph.mutations.mutation import Mutation, PayloadRecord
from api.graph.mutations.record_inputs import IDEMPOTENCY_KEY, INPUT_TYPES
from api.graph.mutations.record_mutations import row_input_types
from api.workflows.user_errors import DocumentStep, UserError
from schema.access.rights import LOWEST_LEVEL
from schema.tables import SHAPES
from schema.writes.user_errors import UserErrorCode

MUTATION, USER_ERROR, INPUT = "Mutation", "UserError", "input"
_BOOLEAN, _STRING = TypeRef("Boolean"), TypeRef("String")


def mutation_types() -> Iterator[Declared]:
    """Yield the types of all mutations."""
    yield from INPUT_TYPES
    yield from row_input_types()
    yield _USER_ERROR
    yield from dict.fromkeys(type_ for mutation in MUTATIONS for type_ in mutation.nested_types)
    for mutation in MUTATIONS:
        doc = f"The input of `{mutation.name}`."
        yield InputType(mutation.input_type, doc, (*mutation.inputs, IDEMPOTENCY_KEY))
        if mutation.rows_of is not None:
            yield _row_type(mutation, mutation.rows_of)
        yield ObjectType(mutation.payload_type, f"The result of `{mutation.name}`.", tuple(_payload_fields(mutation)))
    yield ObjectType(MUTATION, "All mutations. Several in one document run one after another.", mutation_fields())


def mutation_fields() -> tuple[Output, ...]:
    """Return the root fields of all mutations."""
    return tuple(
        Output(
            mutation.name,
            f"{mutation.doc} Needs the access level {LOWEST_LEVEL[mutation.permission]}.",
            TypeRef(mutation.payload_type),
            arguments=(Input(INPUT, "The input.", TypeRef(mutation.input_type).required),),
        )
        for mutation in MUTATIONS
    )


def _payload_fields(mutation: Mutation) -> Iterator[Output]:
    for record in mutation.records:
        yield Output(camel(record.name), record.doc, TypeRef(SHAPES[record.table].type_name), _record_id(record))
    yield from mutation.values
    if mutation.rows_of is not None:
        results = TypeRef(mutation.row_type).required.listed.required
        yield Output(
            "results", "The results of the rows, in their order.", results, lambda outcome, _info: outcome.rows
        )
    errors = TypeRef(USER_ERROR).required.listed.required
    yield Output(
        "userErrors",
        "All that is wrong with the input. If there is anything, nothing was written.",
        errors,
        lambda outcome, _info: outcome.errors,
    )
    yield Output(
        "replayed",
        "True if the mutation was carried out before, under the same idempotency key.",
        _BOOLEAN.required,
        lambda outcome, _info: outcome.is_replayed,
    )


def _record_id(record: PayloadRecord) -> Resolver:
    return lambda outcome, _info: outcome.records.get(record.name)


def _row_type(mutation: Mutation, table: str) -> ObjectType:
    shape = SHAPES[table]
    errors = TypeRef(USER_ERROR).required.listed.required
    return ObjectType(
        mutation.row_type,
        f"The result of one row of `{mutation.name}`.",
        (
            Output(
                camel(table),
                f"The {shape.type_name}; null if nothing was written, or if it is not visible to you.",
                TypeRef(shape.type_name),
                lambda row, _info: row.record_id,
            ),
            Output(
                "status",
                "What became of the row.",
                TypeRef("WriteStatus").required,
                lambda row, _info: row.status.value,
            ),
            Output(
                "userErrors",
                "All that is wrong with the row.",
                errors,
                lambda row, _info: row.errors,
            ),
        ),
    )


def _path(error: UserError, _info: object) -> list[str]:
    return [INPUT, *(step if isinstance(step, DocumentStep) else camel(step) for step in error.path)]


_USER_ERROR = ObjectType(
    USER_ERROR,
    "One thing that is wrong with the input of a mutation.",
    (
        Output(
            "path",
            "The way to the field, from `input` down; positions in lists are numbers from 0, as texts.",
            _STRING.required.listed.required,
            _path,
        ),
        Output(
            "code", "What is wrong.", TypeRef(UserErrorCode.__name__).required, lambda error, _info: error.code.value
        ),
        Output("message", "What is wrong, in words.", _STRING.required, lambda error, _info: error.message),
    ),
)
