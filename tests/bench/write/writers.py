"""Writers: the request of a change in the form that a peer expects."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from tests.bench.write.writes import BULK_ROWS, SOURCE, Change, Write

_CONTACT = "id jobTitle leadScore rowVersion"
_ACCORD = {
    "update_contact": f"updateContact(input: $input) {{ contact {{ {_CONTACT} }} userErrors {{ code }} }}",
    "log_touchpoint": "logTouchpoint(input: $input) { touchpoint { id occurredAt kind } userErrors { code } }",
    "move_deal": "moveDeal(input: $input) { deal { id rowVersion } userErrors { code } }",
    "upsert_contacts": (
        "upsertContacts(input: $input) { results { contact { id rowVersion } status } userErrors { code } }"
    ),
}
_CONTACT_CHANGE = "updateContactByRowId(input: {}) {{ contact {{ id: rowId jobTitle leadScore rowVersion }} }}"
_POSTGRAPHILE = {
    "update_contact": _CONTACT_CHANGE.format("$input"),
    "log_touchpoint": "createTouchpoint(input: $input) { touchpoint { id: rowId occurredAt kind } }",
    "move_deal": "updateDealByRowId(input: $input) { deal { id: rowId rowVersion } }",
}
_POSTGRAPHILE_INPUTS = {
    "update_contact": "UpdateContactByRowIdInput",
    "log_touchpoint": "CreateTouchpointInput",
    "move_deal": "UpdateDealByRowIdInput",
}


class EndpointWriter:
    """Hand-written endpoints: every write has its own path, and a request has only the change."""

    def path(self, write: Write) -> str:
        """Return the path of a write's requests."""
        return f"/{write.key}"

    def body(self, write: Write, change: Change) -> bytes:  # noqa: ARG002 - the path names the write
        """Return the body of a request."""
        return orjson.dumps(change)


class AccordWriter(EndpointWriter):
    """Accord. `is_repeatable`: every request has an idempotency key."""

    def __init__(self, *, is_repeatable: bool = False) -> None:
        self._is_repeatable = is_repeatable

    def path(self, write: Write) -> str:  # noqa: ARG002 - all writes have one path
        """Return the path of all requests."""
        return "/graphql"

    def body(self, write: Write, change: Change) -> bytes:
        """Return a document, which is always the same, and its input."""
        return orjson.dumps({"query": self.document(write), "variables": self.variables(write, change)})

    def document(self, write: Write) -> str:
        """Return the document of a write."""
        mutation = _ACCORD[write.key]
        name = mutation.partition("(")[0]
        return f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {mutation} }}"

    def variables(self, write: Write, change: Change) -> dict[str, Any]:
        """Return the variables of a request."""
        given = _ACCORD_INPUTS[write.key](change)
        if self._is_repeatable:
            # What is changed and its version name a change: no other request has this key.
            first = change["rows"][0] if "rows" in change else change
            given["idempotencyKey"] = f"{first['id']} {first.get('version')}"
        return {"input": given}


class PostGraphileWriter(AccordWriter):
    """PostGraphile, which has no bulk writes: 500 mutations in one document, and no keys of other systems."""

    def document(self, write: Write) -> str:
        """Return the document of a write."""
        if write.rows == 1:
            return f"mutation ($input: {_POSTGRAPHILE_INPUTS[write.key]}!) {{ {_POSTGRAPHILE[write.key]} }}"
        numbers = range(BULK_ROWS)
        inputs = " ".join(f"$i{number}: UpdateContactByRowIdInput!" for number in numbers)
        fields = " ".join(f"m{number}: {_CONTACT_CHANGE.format(f'$i{number}')}" for number in numbers)
        return f"mutation ({inputs}) {{ {fields} }}"

    def variables(self, write: Write, change: Change) -> dict[str, Any]:
        """Return the variables of a request. What Accord maintains, such as the version, the client sends here."""
        if write.rows == 1:
            return {"input": _POSTGRAPHILE_CHANGES[write.key](change)}
        return {f"i{number}": _contact_patch(row) for number, row in enumerate(change["rows"])}


def _reference(table: str, key: str) -> dict[str, str]:
    return {"id": f"{table}_{key}"}


def _contact_values(change: Change) -> dict[str, Any]:
    return {"jobTitle": change["job_title"], "leadScore": change["lead_score"]}


def _upserted(change: Change) -> dict[str, Any]:
    key = {"source": SOURCE, "externalId": change["external_id"]}
    return {"externalKey": key, **_contact_values(change)}


_Inputs = Mapping[str, Callable[[Change], dict[str, Any]]]
_ACCORD_INPUTS: _Inputs = {
    "update_contact": lambda change: {
        **_reference("contact", change["id"]),
        "expectedVersion": change["version"],
        **_contact_values(change),
    },
    "log_touchpoint": lambda change: {
        "contact": _reference("contact", change["contact_id"]),
        "occurredAt": change["occurred_at"],
        "kind": "CALL",
        "direction": "OUTBOUND",
    },
    "move_deal": lambda change: {
        "deal": _reference("deal", change["id"]),
        "pipelineStage": _reference("pipeline_stage", change["stage_id"]),
    },
    "upsert_contacts": lambda change: {"rows": [_upserted(row) for row in change["rows"]]},
}


def _contact_patch(change: Change) -> dict[str, Any]:
    return {"rowId": change["id"], "contactPatch": {**_contact_values(change), "rowVersion": change["version"] + 1}}


_POSTGRAPHILE_CHANGES: _Inputs = {
    "update_contact": _contact_patch,
    "log_touchpoint": lambda change: {
        "touchpoint": {
            "rowId": change["id"],
            "contactId": change["contact_id"],
            "occurredAt": change["occurred_at"],
            "kind": "CALL",
            "direction": "OUTBOUND",
        }
    },
    "move_deal": lambda change: {
        "rowId": change["id"],
        "dealPatch": {"pipelineStageId": change["stage_id"], "rowVersion": change["version"] + 1},
    },
}
