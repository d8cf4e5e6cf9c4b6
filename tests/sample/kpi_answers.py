"""A small sample company, and answers about it."""

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.errors import AccordError
from api.funnel.evaluate import discard_former_entries, evaluate
from api.metrics.answer import KpiAnswer
from api.metrics.query import query_kpis
from api.metrics.request import KpiRequest
from api.workflows.make_sample import make_sample
from tests.sample.test_recount import NOW, UNTIL
from tests.support.accords import replace_document


async def load_small_company(database: Database) -> None:
    """Load a sample company of 300 people, evaluated by the standard accord."""
    async with database.write() as session:
        await make_sample(session, contacts=300, seed=5, until=UNTIL)
        await replace_document(session, read_accord("standard"))
        await evaluate(session)
        await discard_former_entries(session)


async def try_to_ask(company: Database, request: KpiRequest) -> KpiAnswer | AccordError:
    """The answer to a request, or its error."""
    async with company.read() as session:
        [answer] = await query_kpis(session, LOCAL_OPERATOR, [request], now=NOW)
    return answer


async def ask(company: Database, request: KpiRequest) -> KpiAnswer:
    """The answer to a request that has to have one."""
    answer = await try_to_ask(company, request)
    assert isinstance(answer, KpiAnswer), answer
    return answer
