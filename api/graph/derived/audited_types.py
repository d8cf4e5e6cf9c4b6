"""The fields of an audit event that are not columns in the contract: the record, and its values before and after."""

from api.access.audited_values import AUDIT
from api.graph.declared import Output, TypeRef
from api.graph.sources import FromAudited, FromAuditedRecord
from schema.tables import SHAPES

_WITHHELD = "Without the right PERSONAL_DATA, personal values in it are null, see `extensions.redacted`."

_RECORD = (
    "The record as it is now; null if it is deleted or voided, or if the change concerns many. Of a role in a deal, the"
    " deal."
)
_FIELDS = {"valuesBefore": "before", "valuesAfter": "after"}


def audited_fields(table: str) -> tuple[Output, ...]:
    """Return the fields of the type of a table; none but for audit events."""
    if table != AUDIT:
        return ()
    id_doc = "The id of the record, for `node`; null if the change concerns many. A role has that of its deal."
    return (
        Output("changedRecordId", id_doc, TypeRef("ID"), source=FromAudited("changed_id")),
        Output("record", _RECORD, TypeRef("Node"), source=FromAuditedRecord()),
        *(_values(field, column) for field, column in _FIELDS.items()),
    )


def _values(field: str, column: str) -> Output:
    doc = f"{SHAPES[AUDIT].column(column).doc} An object by the names of columns, such as owner_id. {_WITHHELD}"
    return Output(field, doc, TypeRef("JsonObject"), source=FromAudited(column))
