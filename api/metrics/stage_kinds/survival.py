"""The time after which half of the stays have ended, by the product-limit estimate of Kaplan and Meier.

The median of the ended stays alone is too short: long stays end late, so that fewer of them have ended. Here a stay
that has not ended counts as one that lasts longer than until now.
"""

from datetime import datetime
from decimal import Decimal

from api.metrics.answer import Variant
from api.metrics.compile import key_columns
from api.metrics.counted_rows import keyed_rows
from api.metrics.dimensions import key_name
from api.metrics.figure_table import MILLIONTH, FigureCell
from api.metrics.kinds.kind import FigureValues, duration_figure
from api.metrics.resolved_request import MICROSECOND, ResolvedKpiRequest
from api.sql import Sql, join
from schema.kpis.variants import VariantRule

# The product is a sum of logarithms, which may miss an exact half by its rounding.
_HALF = Sql("0.5 + 1e-9")


def with_survival(request: ResolvedKpiRequest, statement: Sql, stays: Sql, boundaries: tuple[datetime, ...]) -> Sql:
    """The statement with `survived` beside its measures: for each of its cells, in seconds.

    The stays are `contact_id, at, target_at`; `target_at` is the end, or null for those that have not ended. Of stays
    of equal length those that ended come first. The estimate is the shortest length after which at most half are left,
    and null if more than half are left after the last end.
    """
    last = request.horizon - MICROSECOND
    lasted = Sql("greatest(extract(epoch from coalesce(c.target_at, {}) - c.at), 0)::double precision as lasted", last)
    followed = keyed_rows(request, stays, boundaries, (lasted, Sql("(c.target_at is not null)::int as ended")))
    places = range(1, request.key_count + 1)
    keys = [Sql("case when not g.is_all_keys then c.{} end as {}", key_name(one), key_name(one)) for one in places]
    sets = [(True, True)]
    sets += [(False, True)] if request.by else []
    sets += [(all_keys, False) for all_keys, _ in [*sets]] if boundaries else []
    cell = Sql("q.is_all_keys, q.is_all_buckets, {}q.bucket", key_columns(request, "q"))
    same = join("", (Sql(" and s.{} is not distinct from m.{}", key_name(one), key_name(one)) for one in places))
    return Sql(
        "select m.*, s.survived from ({}) m left join (select {}, min(q.lasted) filter (where q.left_share <= {})"
        " as survived from (select q.*, exp(sum(case when q.at_risk = q.ended then -100"
        " else ln(1 - q.ended / q.at_risk) end) over (partition by {} order by q.lasted)) as left_share"
        " from (select {}, q.lasted, sum(q.ended)::double precision as ended,"
        " (sum(count(*)) over (partition by {} order by q.lasted desc))::double precision as at_risk"
        " from (select g.is_all_keys, g.is_all_buckets, {}case when not g.is_all_buckets then c.bucket end as bucket,"
        " c.lasted, c.ended from ({}) c cross join (values {}) g (is_all_keys, is_all_buckets)) q"
        " group by {}, q.lasted) q) q group by {}) s on s.is_all_keys = m.is_all_keys"
        " and s.is_all_buckets = m.is_all_buckets and coalesce(s.bucket, 0) = coalesce(m.bucket, 0){}",
        *(statement, cell, _HALF, cell, cell, cell),
        join("", (Sql("{}, ", key) for key in keys)),
        followed,
        join(", ", (Sql("({}::boolean, {}::boolean)", *flags) for flags in sets)),
        *(cell, cell, same),
    )


def survival_figure(cell: FigureCell) -> FigureValues:
    """The figure of a duration, with the median of the ended ones and that of all as its variants."""
    values = duration_figure(cell)
    survived = None if cell.survived is None else Decimal(repr(cell.survived)).quantize(MILLIONTH)
    ended = _variant(VariantRule.ENDED_ONLY, values["value"], "None has ended.", is_canonical=True)
    reason = "By this estimate more than half have not ended yet."
    return FigureValues(**{**values, "variants": (ended, _variant(VariantRule.KAPLAN_MEIER, survived, reason))})


def _variant(rule: VariantRule, value: Decimal | None, reason: str, *, is_canonical: bool = False) -> Variant:
    why = reason if value is None else None
    return Variant(rule=rule, value=value, numerator=None, denominator=None, is_canonical=is_canonical, reason=why)
