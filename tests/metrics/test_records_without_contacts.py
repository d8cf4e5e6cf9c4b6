"""Without contacts, drill-downs are empty lists and not errors."""

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.funnel.evaluate import evaluate
from api.metrics.answer import KpiAnswer
from api.metrics.query import query_funnel, query_kpis
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import FunnelRequest, KpiRequest
from api.workflows.adopt_accord import adopt_accord
from schema.kpis import CATALOGUE
from schema.kpis.kinds import Subject
from schema.vocab import RecordSide


async def test_without_contacts_every_drill_down_is_an_empty_list(database: Database) -> None:
    async with database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        await evaluate(session)
    keys = [key for key, kpi in CATALOGUE.items() if kpi.subject is Subject.PERSON]
    async with database.read() as session:
        answers = await query_kpis(session, LOCAL_OPERATOR, [KpiRequest(key) for key in keys])
        funnel = await query_funnel(session, LOCAL_OPERATOR, FunnelRequest())
        found = [answer.drill_down for answer in answers if isinstance(answer, KpiAnswer)]
        found += [step.drill_down for step in funnel.stages]
        assert len(found) > len(funnel.stages)
        for drill_down in found:
            assert drill_down is not None
            page = await read_page(session, drill_down, RecordSide.BASE, size=5, needs_total=True)
            assert (page.records, page.total, page.has_more) == ((), 0, False)
