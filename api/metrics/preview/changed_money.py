"""The pipeline and the revenue of the people whom each stage gains or loses."""

from collections.abc import Mapping
from decimal import Decimal

from api.db import ScratchSession
from api.identity.survivors import SURVIVORS
from api.metrics.context import MetricContext
from api.metrics.preview.figures import PreviewMoney
from api.metrics.preview.preview_frame import PreviewFrame
from api.plan.money.exchange_rates import at_last_rate
from api.sql import Sql
from schema.accord_vocab import PersonChange
from schema.vocab import Currency

NO_MONEY = PreviewMoney(deals=0, pipeline=Decimal(0), revenue=Decimal(0), unknown=0)


async def find_money(
    session: ScratchSession, context: MetricContext, frame: PreviewFrame, currency: Currency | None
) -> Mapping[tuple[str, PersonChange], PreviewMoney]:
    """Add up the deals of the people gained and of those lost, by stage and change.

    A deal counts once for each, however many of these people are on it. Deals are taken as they are today; a negative
    amount is no deal.

    Shapes: {(stage, GAINED or LOST): PreviewMoney}; a stage without such deals is left out.
    Units:  amounts in `currency`, each at the rate of its closing day or of `as_of`, rounded to the cent; without a
            currency as they are.
    """
    day = Sql("(coalesce(d.closed_at, {}) at time zone {})::date", frame.as_of, frame.zone.key)
    worth = Sql("d.amount")
    if currency is not None:
        rate = at_last_rate(Sql("d.amount"), Sql("d.currency"), Sql("{}", currency.value), day)
        worth = Sql("round(case when d.currency = {} then d.amount else {} end, 2)", currency.value, rate)
    role = Sql("r.contact_id"), Sql("")
    if context.has_merged_contacts:
        role = Sql("coalesce(m.survivor_id, r.contact_id)"), Sql("left join ({}) m using (contact_id)", SURVIVORS)
    rows = await session.rows(
        Sql(
            """select stage, change, count(*)::int as deals,
  coalesce(sum(worth) filter (where outcome = 'OPEN'), 0) as pipeline,
  coalesce(sum(worth) filter (where outcome = 'WON'), 0) as revenue,
  count(*) filter (where worth is null)::int as unknown
from (
  select c.stage, c.change, d.outcome, {} as worth
  from (
    select distinct p.stage, p.change, r.deal_id
    from preview_change p join (select {} as contact_id, r.deal_id from deal_contact r {} where r.voided_at is null) r
      using (contact_id)
    where p.change = any({}::text[])
  ) c join deal d on d.id = c.deal_id
  where d.deleted_at is null and d.outcome in ('OPEN', 'WON') and coalesce(d.amount, 0) >= 0
) deal group by 1, 2""",
            worth,
            *role,
            [PersonChange.GAINED.value, PersonChange.LOST.value],
        )
    )
    return {
        (row["stage"], PersonChange[row["change"]]): PreviewMoney(
            deals=row["deals"], pipeline=row["pipeline"], revenue=row["revenue"], unknown=row["unknown"]
        )
        for row in rows
    }
