"""Answers about the sample company."""

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.errors import AccordError
from api.metrics.answer import KpiAnswer
from api.metrics.query import query_kpis
from api.metrics.request import KpiRequest
from tests.sample.test_recount import NOW


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
