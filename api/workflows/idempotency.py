"""Idempotency keys: a repeated mutation returns the outcome of the first time instead of changing anything.

The key's row is inserted at the beginning of the transaction. A second caller with the same key waits for the first,
and then finds its outcome. Kept are ids, codes and versions, no personal data: the payload is read anew.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from api.db import WriteSession
from api.errors import AccordError, ErrorCode
from api.sql import Sql
from api.workflows.outcome import Outcome, RowOutcome
from api.workflows.user_errors import UserError
from schema.writes.user_errors import UserErrorCode
from schema.writes.write_status import WriteStatus

KEPT_HOURS = 24
MAX_KEY_LENGTH = 200


async def begin_once(
    session: WriteSession, subject: str, mutation: str, key: str | None, input_hash: str
) -> Outcome | None:
    """Claim an idempotency key for this transaction; return the outcome if the mutation was carried out before.

    Waits for another transaction that claimed the key, until it ends.
    Errors: IDEMPOTENCY_KEY_REUSED if the key was used for another input; BAD_INPUT if it is empty or too long.
    """
    if key is None:
        return None
    if not 0 < len(key) <= MAX_KEY_LENGTH or "\0" in key:
        message = f"`idempotencyKey` has {len(key)} characters, and may have 1 to {MAX_KEY_LENGTH}."
        if "\0" in key:
            message = "`idempotencyKey` has a NUL character."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Use a random UUID for each change that you want to make once.")
    claimed = await session.value(
        Sql(
            "insert into idempotency_key as k (subject, mutation, key, input_hash) values ({}, {}, {}, {})"
            " on conflict (subject, mutation, key) do update"
            " set input_hash = excluded.input_hash, created_at = now(), result = null"
            " where k.created_at < now() - {}::int * interval '1 hour' returning true",
            *(subject, mutation, key, input_hash, KEPT_HOURS),
        )
    )
    if claimed:
        return None
    row = await session.row(
        Sql(
            "select input_hash, result from idempotency_key where subject = {} and mutation = {} and key = {}",
            *(subject, mutation, key),
        )
    )
    if row is None or row["result"] is None:
        raise TypeError("an idempotency key was committed without its outcome")
    if row["input_hash"] != input_hash:
        raise AccordError(
            ErrorCode.IDEMPOTENCY_KEY_REUSED,
            f"The idempotency key was used for another input of `{mutation}` within the last {KEPT_HOURS} hours.",
            "Use a new key for a new change. Use the same key only to send the same input again.",
        )
    return replace(_outcome(row["result"]), is_replayed=True)


async def keep_outcome(session: WriteSession, subject: str, mutation: str, key: str, outcome: Outcome) -> None:
    """Keep the outcome of a mutation under its key, in the transaction that carries it out."""
    await session.run(
        Sql(
            "update idempotency_key set result = {}::jsonb where subject = {} and mutation = {} and key = {}",
            *(_as_json(outcome), subject, mutation, key),
        )
    )


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "records": {name: str(id_) if id_ else None for name, id_ in outcome.records.items()},
        "rows": [
            [str(row.record_id) if row.record_id else None, row.status.value, list(map(_error_as_json, row.errors))]
            for row in outcome.rows
        ],
        "values": dict(outcome.values),
        "secrets": list(outcome.secrets),
        "errors": list(map(_error_as_json, outcome.errors)),
    }


def _error_as_json(error: UserError) -> list[Any]:
    # The message may show a value, which may be personal.
    return [list(error.path), error.code.value]


def _outcome(kept: Mapping[str, Any]) -> Outcome:
    return Outcome(
        {name: UUID(id_) if id_ else None for name, id_ in kept["records"].items()},
        tuple(
            RowOutcome(UUID(id_) if id_ else None, WriteStatus[status], tuple(map(_error, errors)))
            for id_, status, errors in kept["rows"]
        ),
        kept["values"],
        {},
        tuple(map(_error, kept["errors"])),
    )


def _error(kept: list[Any]) -> UserError:
    path, code = kept
    return UserError(tuple(path), UserErrorCode[code], UserErrorCode[code].doc)
