"""The preview of a quarter with one changed stage, beside a full evaluation of the standard accord."""

from dataclasses import replace
from datetime import date, datetime

from api.access.principal import LOCAL_OPERATOR
from api.db import Connection, ReadSession, ScratchSession, WriteSession
from api.funnel.evaluate import evaluate
from api.metrics.context import read_context
from api.metrics.periods.period_days import period
from api.metrics.preview.compared_versions import ComparedVersions
from api.metrics.preview.compute import compute_preview
from api.metrics.preview.preview_frame import preview_frame
from schema.accord import Accord
from schema.base import new_id
from tests.bench.funnel_evaluation import rolled_back
from tests.bench.funnel_meter import Comparison, compare

QUARTER = period(date(2026, 7, 1), date(2026, 10, 1))


async def compare_preview(connection: Connection, as_of: datetime, rounds: int) -> Comparison:
    """Compare computing the preview with deriving and storing the entries of one version; both are rolled back."""

    async def ours(session: ScratchSession) -> None:
        context = await read_context(ReadSession(session.connection), LOCAL_OPERATOR, as_of)
        document = stricter(context.accord)
        draft = replace(context.in_force, id=new_id(), number=2, content_hash=document.content_hash(), accord=document)
        frame = preview_frame(QUARTER, document.reporting, as_of)
        preview = await compute_preview(session, new_id(), ComparedVersions(context.in_force, draft), frame, context)
        if not any(stage.lost for stage in preview.stages):
            raise SystemExit("The draft changes nothing, so the comparison measures nothing.")

    async def full(session: ScratchSession) -> None:
        await evaluate(WriteSession(session.connection), as_of=as_of)

    return await compare("preview / evaluation", rolled_back(connection, ours), rolled_back(connection, full), rounds)


def stricter(accord: Accord) -> Accord:
    """The accord with one touch more for a marketing qualified lead."""
    body = accord.model_dump(mode="json", by_alias=True, exclude_none=True)
    [mql] = [stage for stage in body["stages"] if stage["key"] == "mql"]
    mql["rule"]["all"][0]["touches"]["at_least"] += 1
    return Accord.model_validate(body)
