"""The baselines: Starlette and asyncpg with one hand-written statement for each write, on Accord's own HTTP stack."""

import os
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.bench.read.asgi_peer import serve
from tests.bench.read.raw_server import Endpoint, application

STATEMENTS = Path(__file__).with_name("statements")


def _update_contact(given: dict[str, Any]) -> tuple[object, ...]:
    return UUID(given["id"]), given["version"], given["job_title"], given["lead_score"]


def _log_touchpoint(given: dict[str, Any]) -> tuple[object, ...]:
    return UUID(given["id"]), UUID(given["contact_id"]), datetime.fromisoformat(given["occurred_at"])


def _move_deal(given: dict[str, Any]) -> tuple[object, ...]:
    return UUID(given["id"]), UUID(given["stage_id"])


def _upsert_contacts(given: dict[str, Any]) -> tuple[object, ...]:
    rows = given["rows"]
    return tuple([row[name] for row in rows] for name in ("external_id", "job_title", "lead_score"))


if __name__ == "__main__":
    parameters = {
        "update_contact": _update_contact,
        "log_touchpoint": _log_touchpoint,
        "move_deal": _move_deal,
        "upsert_contacts": _upsert_contacts,
    }
    endpoints = [Endpoint(key, of, STATEMENTS) for key, of in parameters.items()]
    serve(application(os.environ["DATABASE_URL"], endpoints))
