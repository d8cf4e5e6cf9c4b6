"""A mutation as a value: its input, what it needs, the workflow that it runs, and its payload."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from api.graph.declared import Input, InputType, Output, Resolver, TypeRef
from api.graph.derived.naming import camel
from api.workflows.outcome import Outcome
from api.workflows.unit_of_work import Workflow
from schema.access.rights import Permission
from schema.tables import SHAPES

MAX_ROWS = 1_000  # of a bulk mutation


@dataclass(frozen=True, slots=True)
class PayloadRecord:
    """A field of a payload with a record that the mutation wrote. Its name is that of `Outcome.records`."""

    name: str
    table: str
    doc: str


@dataclass(frozen=True, slots=True)
class Mutation:
    """One mutation.

    `prepare` turns the coerced input into the workflow to run. `records` and `values` are the fields of the payload
    beside `userErrors` and `replayed`; with `rows_of`, it has a result for every row of the input, with the record of
    that table. `nested_types` are the input types within its input.
    """

    name: str
    doc: str
    permission: Permission
    inputs: tuple[Input, ...]
    prepare: Callable[[Mapping[str, Any]], Workflow]
    records: tuple[PayloadRecord, ...] = ()
    values: tuple[Output, ...] = ()
    rows_of: str | None = None
    nested_types: tuple[InputType, ...] = ()

    @property
    def type_name(self) -> str:
        """The mutation's name as the beginning of the names of its types."""
        return self.name[0].upper() + self.name[1:]

    @property
    def input_type(self) -> str:
        """The name of the input type."""
        return f"{self.type_name}Input"

    @property
    def payload_type(self) -> str:
        """The name of the payload type."""
        return f"{self.type_name}Payload"

    @property
    def row_type(self) -> str:
        """The name of the type of the results of a bulk mutation."""
        return f"{self.type_name}Result"


def record_of(table: str, doc: str = "") -> PayloadRecord:
    """Return the payload field of a table's record."""
    shape = SHAPES[table]
    default = f"The {shape.type_name}; null if nothing was written, or if it is not visible to you."
    return PayloadRecord(table, table, doc or default)


def outcome_value(name: str, doc: str, of_type: TypeRef, column: str | None = None) -> Output:
    """Return the payload field of a value of `Outcome.values` or `Outcome.secrets`, under the name of the field."""
    key = column or name

    def resolve(outcome: Outcome, _info: object) -> object:
        return outcome.secrets.get(key) or outcome.values.get(key)

    resolver: Resolver = resolve
    return Output(camel(name), doc, of_type, resolver)
