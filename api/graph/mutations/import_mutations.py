"""The mutation of an import as a whole: undoing it."""

from api.graph.declared import Declared, ObjectType, Output, TypeRef
from api.graph.derived.naming import camel
from api.graph.mutations.command_mutation import command_mutation
from api.graph.mutations.mutation import Mutation, outcome_value, record_of
from api.workflows.imports.undo_import import REMOVED_KEYS, TABLES, UndoImport, undo_import
from schema.access.rights import Permission

UNDONE_RECORDS = "UndoneRecords"
_KEYS = "The number of external keys that it had given to records which it did not make; null if nothing was written."


def _member(name: str, doc: str, type_: str) -> Output:
    return Output(camel(name), doc, TypeRef(type_).required, lambda source, _info: source[name])


IMPORT_TYPES: tuple[Declared, ...] = (
    ObjectType(
        UNDONE_RECORDS,
        "What undoing an import did with the records of one type.",
        (
            _member(
                "record_type", "The type of the records, as their table is called, such as deal_contact.", "String"
            ),
            _member("gone", "How many records that the import made are deleted or voided.", "Int"),
            _member("restored", "How many records that it changed have former values back.", "Int"),
            _member(
                "kept",
                "How many stay as they are: changed since, with facts since, or of a type that others may refer to.",
                "Int",
            ),
        ),
    ),
)
IMPORT_MUTATIONS: tuple[Mutation, ...] = (
    command_mutation(
        UndoImport,
        undo_import,
        Permission.IMPORT,
        (record_of("import_job"),),
        (
            outcome_value(
                TABLES,
                "What became of the records, by type; null if nothing was written.",
                TypeRef(UNDONE_RECORDS).listed,
            ),
            outcome_value(REMOVED_KEYS, _KEYS, TypeRef("Int")),
        ),
    ),
)
