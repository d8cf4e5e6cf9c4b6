"""An open deal is in the industry that its company had at the instant, however often that changed while it was open."""

from datetime import datetime, timedelta

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.funnel.following.follow_changes import follow_changes
from api.metrics.answer import KpiAnswer
from api.metrics.query import query_kpis
from api.metrics.request import KpiRequest
from schema.kpis.answer_vocab import AnsweredFrom
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import Grain
from tests.metrics.test_first_wins_follow import COMPANIES, HALF, NOW, Firm
from tests.support.day_sums import compare
from tests.support.random_choices import RandomChoices


async def test_a_deal_follows_the_industry_of_its_company(module_database: Database) -> None:
    firm = Firm(module_database, RandomChoices.of_seed(0))
    await firm.begin()  # two of its open deals, of 7 each, are of the first company
    changes: dict[str, datetime] = {"Steel": NOW - timedelta(days=130), "Glass": NOW - timedelta(days=70)}
    for industry, since in changes.items():
        values: dict[str, object] = {"industry": industry, "effective_at": since}
        async with module_database.unit_of_work() as session:
            await follow_changes(session, [await firm.update(session, "company", COMPANIES[:1], values)])
    request = KpiRequest("open_pipeline", HALF, grain=Grain.MONTH, by=(Dimension.INDUSTRY,))
    assert {*await compare(module_database, (request,), NOW)} == {AnsweredFrom.JOURNEYS}
    async with module_database.read() as session:
        [found] = await query_kpis(session, LOCAL_OPERATOR, [request], now=NOW)
    assert isinstance(found, KpiAnswer), found
    sums = {group.keys[0].value: [int(bucket.value or 0) for bucket in group.series] for group in found.breakdown}
    # From December to May: steel since 22 January, glass since 23 March.
    assert sums == {"Steel": [0, 14, 14, 0, 0, 0], "Glass": [0, 0, 0, 14, 14, 14], None: [28, 14, 14, 14, 14, 14]}
