"""The mutations as root fields, with the types of their inputs and payloads, and the resolver that runs them."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from api.errors import AccordError, ErrorCode
from api.graph.context import Info
from api.graph.declared import Declared, Input, InputType, ObjectType, Output, TypeRef
from api.graph.derived.naming import camel
from api.graph.mutations.all_mutations import MUTATIONS
from api.graph.mutations.mutation import Mutation, PayloadRecord
from api.graph.mutations.record_inputs import IDEMPOTENCY_KEY, INPUT_TYPES
from api.graph.mutations.record_mutations import row_input_types
from api.graph.reading.payload_reader import MAX_ROWS
from api.graph.reading.selection_reader import Path
from api.workflows.outcome import Outcome, RowOutcome
from api.workflows.unit_of_work import Call, perform
from api.workflows.user_errors import UserError
from schema.access.rights import LOWEST_LEVEL
from schema.tables import SHAPES
from schema.writes.user_errors import UserErrorCode

MUTATION, USER_ERROR = "Mutation", "UserError"
_BOOLEAN, _STRING = TypeRef("Boolean"), TypeRef("String")


@dataclass(frozen=True, slots=True)
class Payload:
    """The value of a mutation's root field: its outcome, and the records that the payload selects, by path and id."""

    outcome: Outcome
    rows: Mapping[Path, Mapping[UUID, object]] = field(default_factory=dict)

    def record(self, info: Info, id_: UUID | None) -> object:
        """Return the record of a field of the payload; None if there is none or it is not visible."""
        path = tuple(str(key) for key in info.path.as_list()[1:] if isinstance(key, str))
        return None if id_ is None else self.rows.get(path, {}).get(id_)


@dataclass(frozen=True, slots=True)
class _PayloadRow:
    """The result of one row of a bulk mutation."""

    payload: Payload
    outcome: RowOutcome


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
            _resolver(mutation),
            (Input("input", "The input.", TypeRef(mutation.input_type).required),),
        )
        for mutation in MUTATIONS
    )


def _resolver(mutation: Mutation) -> Any:  # noqa: ANN401 - a resolver
    async def resolve(_source: object, info: Info, **arguments: Any) -> Payload:  # noqa: ANN401 - coerced inputs
        context, given = info.context, arguments["input"]
        context.principal.require(mutation.permission)
        _limit_rows(given)
        selected = (str(info.path.key), info.field_nodes, mutation.payload_type)
        if context.payloads is not None:
            context.payloads.require_readable(context.principal, selected)
        call = Call(mutation.name, _hash(given), given.get(IDEMPOTENCY_KEY.name), context.request_id)
        outcome = await perform(context.database, context.principal, call, mutation.prepare(given))
        if outcome.secrets:
            context.revealing.add(mutation.name)
        ids = _ids(mutation, outcome)
        if not ids or context.payloads is None:
            return Payload(outcome)
        rows = await context.payloads.read(context.database, context.principal, selected, ids)
        return Payload(outcome, rows)

    return resolve


def _limit_rows(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if isinstance(value, list) and len(value) > MAX_ROWS:
            raise AccordError(
                ErrorCode.TOO_LARGE,
                f"`{name}` has {len(value):,} rows. The limit is {MAX_ROWS:,}.",
                "Send the rows in several mutations.",
            )


def _hash(given: Mapping[str, Any]) -> str:
    """Return the hash of an input without its idempotency key: equal inputs have equal hashes."""
    values = {name: value for name, value in given.items() if name != IDEMPOTENCY_KEY.name}
    text = orjson.dumps(values, default=str, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()


def _ids(mutation: Mutation, outcome: Outcome) -> dict[str, Sequence[UUID]]:
    """Return the ids of the records of a payload, by table."""
    found: dict[str, list[UUID]] = {}
    for record in mutation.records:
        id_ = outcome.records.get(record.name)
        if id_ is not None:
            found.setdefault(record.table, []).append(id_)
    if mutation.rows_of is not None:
        found[mutation.rows_of] = [row.record_id for row in outcome.rows if row.record_id is not None]
    return {table: ids for table, ids in found.items() if ids}


def _payload_fields(mutation: Mutation) -> Iterator[Output]:
    for record in mutation.records:
        yield Output(camel(record.name), record.doc, TypeRef(SHAPES[record.table].type_name), _record_resolver(record))
    yield from mutation.values
    if mutation.rows_of is not None:
        results = TypeRef(mutation.row_type).required.listed.required
        yield Output("results", "The results of the rows, in their order.", results, _results)
    errors = TypeRef(USER_ERROR).required.listed.required
    yield Output(
        "userErrors",
        "All that is wrong with the input. If there is anything, nothing was written.",
        errors,
        lambda source, _info: source.outcome.errors,
    )
    yield Output(
        "replayed",
        "True if the mutation was carried out before, under the same idempotency key.",
        _BOOLEAN.required,
        lambda source, _info: source.outcome.is_replayed,
    )


def _record_resolver(record: PayloadRecord) -> Any:  # noqa: ANN401 - a resolver
    return lambda source, info: source.record(info, source.outcome.records.get(record.name))


def _results(source: Payload, _info: Info) -> list[_PayloadRow]:
    return [_PayloadRow(source, row) for row in source.outcome.rows]


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
                lambda source, info: source.payload.record(info, source.outcome.record_id),
            ),
            Output(
                "status",
                "What became of the row.",
                TypeRef("WriteStatus").required,
                lambda source, _info: source.outcome.status,
            ),
            Output(
                "userErrors",
                "All that is wrong with the row.",
                errors,
                lambda source, _info: source.outcome.errors,
            ),
        ),
    )


def _path(source: UserError, _info: Info) -> list[str]:
    return ["input", *map(camel, source.path)]


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
        Output("code", "What is wrong.", TypeRef(UserErrorCode.__name__).required, lambda source, _info: source.code),
        Output("message", "What is wrong, in words.", _STRING.required, lambda source, _info: source.message),
    ),
)
