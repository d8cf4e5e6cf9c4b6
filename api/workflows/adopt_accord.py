"""Adopt the first accord of a database."""

import json

from api.accord.in_force import AccordInForce, accord_in_force, active_version
from api.db import WriteSession
from api.errors import AccordError, ErrorCode
from api.sql import Sql
from schema.accord import FORMAT, Accord
from schema.accord_vocab import AccordStatus
from schema.base import new_id


async def adopt_accord(session: WriteSession, document: Accord) -> AccordInForce:
    """Adopt a document as version 1: in force for all of time, and provisional until both teams sign it.

    Shapes: one Accord -> one AccordInForce. Writes accord_version (1).
    Errors: BAD_INPUT if the database already has an accord.
    """
    # Two adoptions at the same time: the second waits here, and then finds the first.
    await session.run(Sql("lock table accord_version in share row exclusive mode"))
    present = await active_version(session)
    if present is not None:
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"This database has an accord already: version {present.number}, '{present.accord.title}'.",
            "See it with `accord show`. To begin with another accord, use another data folder (--data DIR).",
        )
    await session.run(
        Sql(
            "insert into accord_version (id, number, status, format, document, body, content_hash, activated_at)"
            " values ({}, 1, {}, {}, {}, {}, {}, now())",
            new_id(),
            AccordStatus.ACTIVE.value,
            FORMAT,
            document.canonical(),
            json.loads(document.canonical()),
            document.content_hash(),
        )
    )
    return await accord_in_force(session)
