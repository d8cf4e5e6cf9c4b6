"""Adopt the first accord of a database."""

from api.accord.in_force import AccordInForce, accord_in_force, active_version
from api.accord.stated_holidays import with_stated_holidays
from api.db import WriteSession
from api.errors import AccordError, ErrorCode
from api.sql import Sql, join, name
from api.workflows.accord.documents import ReadDocument
from schema.accord import Accord
from schema.accord_vocab import AccordStatus
from schema.base import new_id, now


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
    stated = ReadDocument.of(with_stated_holidays(document, now().date()))
    row = {"id": new_id(), "number": 1, "status": AccordStatus.ACTIVE.value, **stated.columns}
    await session.run(
        Sql(
            "insert into accord_version ({}, activated_at) values ({}, now())",
            join(", ", map(name, row)),
            join(", ", (Sql("{}", value) for value in row.values())),
        )
    )
    return await accord_in_force(session)
