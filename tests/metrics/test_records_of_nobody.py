"""Where nobody is known, nobody is behind a number: an empty list, not an error."""

from api.access.principal import EVERYONE
from api.accord.documents import read_accord
from api.db import Database
from api.funnel.evaluate import evaluate
from api.metrics.answer import KpiAnswer
from api.metrics.ask import ask, ask_funnel
from api.metrics.records import read_page
from api.metrics.request import FunnelRequest, KpiRequest
from api.workflows.adopt_accord import adopt_accord
from schema.kpis import CATALOGUE
from schema.kpis.kinds import Subject
from schema.vocab import RecordSide


async def test_where_nobody_is_known_nobody_is_behind_a_number(database: Database) -> None:
    async with database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        await evaluate(session)
    keys = [key for key, kpi in CATALOGUE.items() if kpi.subject is Subject.PERSON]
    async with database.read() as session:
        answers = await ask(session, EVERYONE, [KpiRequest(key) for key in keys])
        funnel = await ask_funnel(session, EVERYONE, FunnelRequest())
        found = [each.behind for each in answers if isinstance(each, KpiAnswer)]
        found += [step.behind for step in funnel.stages]
        assert len(found) > len(funnel.stages)
        for behind in found:
            assert behind is not None
            page = await read_page(session, behind, RecordSide.BASE, size=5, is_total_asked=True)
            assert (page.records, page.total, page.has_more) == ((), 0, False)
