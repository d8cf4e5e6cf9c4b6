"""Drafts of the accord as rows, and previews of them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from api.access.principal import LOCAL_OPERATOR
from api.db import Database, WriteSession
from api.metrics.periods.period_days import period
from api.metrics.preview.figures import Preview, PreviewStage
from api.metrics.preview.requested import PreviewRequest, requested_preview
from api.sql import Sql
from schema.accord import Accord
from schema.base import new_id
from tests.support.accords import accord_row
from tests.support.graphql import put


async def add_draft(session: WriteSession, document: Accord, number: int = 2) -> UUID:
    """Store a draft that is based on the version in force."""
    base = await session.row(Sql("select id, content_hash from accord_version where status = 'ACTIVE'"))
    assert base is not None
    id_ = new_id()
    columns: dict[str, Any] = {"id": id_, "number": number, "status": "DRAFT", "base_id": base[0], "base_hash": base[1]}
    await put(session, "accord_version", accord_row(document, **columns))
    return id_


async def preview_of(
    database: Database,
    first: str,
    before: str,
    *,
    version: int = 2,
    compare_to: int | None = None,
    now: str = "2026-12-31",
) -> Preview:
    """Preview a version over the days from `first` until before `before`, as the operator."""
    days = period(datetime.fromisoformat(first).date(), datetime.fromisoformat(before).date())
    request = PreviewRequest(version, compare_to, days)
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    return await requested_preview(database, LOCAL_OPERATOR, request, now=at)


def stage_of(preview: Preview, key: str) -> PreviewStage:
    """The part of a preview about one stage."""
    return next(stage for stage in preview.stages if stage.key == key)
