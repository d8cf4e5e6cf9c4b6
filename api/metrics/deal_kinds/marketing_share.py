"""Marketing's part in the pipeline: what it sourced, and which deals it influenced."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from api.metrics.answer import AnswerWarning
from api.metrics.answer_warnings import number_of
from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.deal_kinds.amount_shares import amount_share, amount_variant, portion, unfit_to_divide
from api.metrics.deal_kinds.currency_conversion import converted, counted_amounts, missing_rates
from api.metrics.deal_kinds.deal_kind import DealKind
from api.metrics.deal_kinds.deal_rows import NEWEST_UPDATE, first_opening, unknown_amounts, unopened_deals
from api.metrics.deal_kinds.deal_touches import role_holders, touches_of_deals
from api.metrics.deal_kinds.openings import NOT_IN_PERIOD, opening_rows
from api.metrics.dimensions import stands_on_assumption
from api.metrics.figure_table import FigureCell, FigureTable
from api.metrics.kinds.kind import FigureValues, share_figure
from api.metrics.kinds.stage_entries import elapsed
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.measures.deals import Openings
from schema.kpis.variants import SourcedRule, VariantRule

_BY_MARKETING = "t.team_kind = 'MARKETING'"
# In the order of the portions: whether the rule holds for the row `c`, and whether anything tells if it does.
_RULES = {
    VariantRule.LEAD_SOURCE: (Sql("c.is_of_lead_source"), Sql("c.has_lead_source")),
    VariantRule.FIRST_TOUCH: (Sql("c.is_first_touched"), Sql("c.has_first_touch")),
    VariantRule.BEFORE_FIRST_SALES_TOUCH: (Sql("c.is_before_sales"), Sql("c.has_team_touch")),
}
_NO_LEAD_SOURCES = (
    "The accord does not name the lead sources of marketing: name them in attribution.marketing_lead_sources."
)


@dataclass(frozen=True, slots=True)
class SourcedShare(DealKind):
    """The amounts of the deals opened in the period that marketing sourced, divided by those of all opened deals.

    Shapes: one row per deal; n counts those with a known amount.
    Units:  the reporting currency; unconverted amounts are in neither numerator nor denominator.
    Source: the deals and their history; the touches and lead sources of the people on them, up to the opening. Journeys
            of deals have no touches.
    """

    reads = ("deal", "deal_contact", "contact", "touchpoint")
    divides_amounts = True

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first opening."""
        return first_opening(request)

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The openings with what each rule says: `deal_id, at, worth, unconverted_currency, is_unopened, …`."""
        is_dated = Sql("not c.is_unopened")
        counted = counted_amounts(converted(request, _origins(request)), is_dated, Sql("c.is_unopened"))
        is_sourced, is_known = _RULES[canonical_rule(request)]
        unknown = count_where(Sql("{} and not {}", counted.is_base, is_known))
        return replace(
            counted,
            aggregates=replace(
                counted.aggregates,
                portions=portion(*(Sql("{} and {}", is_dated, holds) for holds, _ in _RULES.values())),
                untouched=None if canonical_rule(request) in _unread_rules(request) else unknown,
            ),
            is_converted=Sql("{} and {}", counted.is_base, is_sourced),
        )

    def adjusted(
        self, request: ResolvedKpiRequest, table: FigureTable, boundaries: tuple[datetime, ...]
    ) -> FigureTable:
        """Name the rule that counts, and those that cannot be computed."""
        canonical, unread = canonical_rule(request), _unread_rules(request)
        cells = {key: replace(cell, canonical=canonical, unread=unread) for key, cell in table.cells.items()}
        return replace(table, cells=cells)

    def figure(self, cell: FigureCell) -> FigureValues:
        """The share by the rule that counts, and by every rule."""
        variants = tuple(amount_variant(cell, place, rule) for place, rule in enumerate(_RULES))
        place = next((place for place, rule in enumerate(_RULES) if rule is cell.canonical), 0)
        values = amount_share(cell, place, variants)
        if cell.canonical in cell.unread:
            return FigureValues(**{**values, "value": None, "numerator": None, "denominator": None})
        return values

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """No amount is known."""
        return "No deal opened in the period has a known amount, so there is nothing to divide by."

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """NOT_RECORDED, UNKNOWN_ORIGIN, ZERO_DENOMINATOR, UNDATED, UNKNOWN_AMOUNT, MISSING_RATE."""
        rule = canonical_rule(request)
        if reason := _unread_rules(request).get(rule):
            yield AnswerWarning(code=WarningCode.NOT_RECORDED, message=reason, count=None)
        yield from _unknown_origins(
            table, "lead source" if rule is VariantRule.LEAD_SOURCE else "touch of a known team"
        )
        yield from unfit_to_divide(table, "deals opened in the period")
        yield from unopened_deals(table, NOT_IN_PERIOD)
        yield from unknown_amounts(table)
        yield from missing_rates(request, table)


@dataclass(frozen=True, slots=True)
class InfluencedShare(DealKind):
    """The share of the deals opened in the period that marketing touched within the look-back before the opening.

    Shapes: one row per deal; those without a known opening are counted in a warning.
    Source: the deals; the touches of the people on them, and the history of their opting out. Journeys of deals have
            no touches.
    """

    look_back: timedelta
    reads = ("deal", "deal_contact", "contact", "touchpoint")

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first opening."""
        return first_opening(request)

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The openings: `deal_id, at, updated_at, is_unopened, is_influenced, reads_assumed`."""
        is_dated = Sql("not c.is_unopened")
        is_influenced = Sql("not c.is_unopened and c.is_influenced")
        return CountedRows(
            rows=_influenced(request, self.look_back),
            aggregates=Aggregates(
                n=count_where(is_dated),
                numerator=count_where(is_influenced),
                unopened=count_where(Sql("c.is_unopened")),
                updated_at=NEWEST_UPDATE,
            ),
            is_base=is_dated,
            is_converted=is_influenced,
            is_assumed=Sql("c.reads_assumed"),
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """The influenced deals divided by all of them."""
        return share_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """No deal was opened."""
        return "No deal was opened in the period, so there is nothing to divide by."

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """UNDATED."""
        return unopened_deals(table, NOT_IN_PERIOD)


def canonical_rule(request: ResolvedKpiRequest) -> VariantRule:
    """The rule that the accord locks; without its clause FIRST_TOUCH."""
    attribution = request.context.accord.attribution
    return VariantRule[(SourcedRule.FIRST_TOUCH if attribution is None else attribution.sourced).value]


def _unread_rules(request: ResolvedKpiRequest) -> dict[VariantRule, str]:
    """The rules that the accord does not give enough for, and why."""
    return {} if _lead_sources(request) else {VariantRule.LEAD_SOURCE: _NO_LEAD_SOURCES}


def _lead_sources(request: ResolvedKpiRequest) -> tuple[str, ...]:
    attribution = request.context.accord.attribution
    return () if attribution is None else attribution.marketing_lead_sources


def _origins(request: ResolvedKpiRequest) -> Sql:
    """The openings with their amounts, and what each rule says of them, by what was known at the opening."""
    kinds = Sql(
        "(array_agg(t.team_kind order by t.occurred_at, t.id))[1] as first_kind,"
        f" min(t.occurred_at) filter (where {_BY_MARKETING}) as marketing_at,"
        " min(t.occurred_at) filter (where t.team_kind = 'SALES') as sales_at"
    )
    main = Sql(
        "select v.lead_source from (select p.contact_id from {}"
        " order by p.is_primary desc, p.since nulls first, p.contact_id limit 1) m"
        " join contact_version v on v.contact_id = m.contact_id"
        " and coalesce(v.valid_from, v.recorded_at) <= o.at and (v.valid_to is null or v.valid_to > o.at)",
        Sql("(select 1) one join {}", role_holders(request, "o.deal_id")),
    )
    return Sql(
        "with opened as materialized ({}) select o.*,"
        " coalesce(l.lead_source = any ({}::text[]), false) as is_of_lead_source,"
        " l.lead_source is not null as has_lead_source,"
        " coalesce(x.first_kind = 'MARKETING', false) as is_first_touched, x.first_kind is not null as has_first_touch,"
        " x.marketing_at is not null and (x.sales_at is null or x.marketing_at < x.sales_at) as is_before_sales,"
        " coalesce(x.marketing_at, x.sales_at) is not null as has_team_touch"
        " from opened o left join ({}) x on x.deal_id = o.deal_id left join lateral ({}) l on true",
        opening_rows(request, Openings(), has_amounts=True),
        list(_lead_sources(request)),
        touches_of_deals(request, Sql("opened"), kinds, [Sql("t.occurred_at <= o.at")]),
        main,
    )


def _influenced(request: ResolvedKpiRequest, look_back: timedelta) -> Sql:
    """The openings, and whether an eligible touch by marketing lies in the look-back before them."""
    attribution = request.context.accord.attribution
    if attribution is not None:
        look_back = next(model.look_back for model in attribution.models if model.key == attribution.canonical)
    in_time = [
        Sql(_BY_MARKETING),
        Sql("t.occurred_at <= o.at"),
        Sql("t.occurred_at >= o.at - {}", elapsed(look_back)),
    ]
    is_out = Sql(
        "select bool_or({}) as is_assumed from contact_version v where v.contact_id = t.contact_id"
        " and (v.email_opt_out or v.do_not_call) and coalesce(v.valid_from, v.recorded_at) <= t.occurred_at"
        " and (v.valid_to is null or v.valid_to > t.occurred_at)",
        stands_on_assumption("v", Sql("t.occurred_at")),
    )
    columns = Sql(
        "bool_or(({}) is null) as is_influenced, bool_or(coalesce(({}), false)) as rests_on_assumed", is_out, is_out
    )
    return Sql(
        "with opened as materialized ({}) select o.*, coalesce(x.is_influenced, false) as is_influenced,"
        " coalesce(not x.is_influenced and x.rests_on_assumed, false) as reads_assumed"
        " from opened o left join ({}) x on x.deal_id = o.deal_id",
        opening_rows(request, Openings(), has_amounts=False),
        touches_of_deals(request, Sql("opened"), columns, in_time),
    )


def _unknown_origins(table: FigureTable, lacking: str) -> Iterator[AnswerWarning]:
    """UNKNOWN_ORIGIN: how many deals have nothing that says where they came from."""
    count, within = table.largest_count(lambda cell: cell.untouched)
    if count:
        has = "has" if count == 1 else "have"
        message = f"{within}{number_of(count, 'deal')} {has} no {lacking} up to the opening, and count as not sourced."
        yield AnswerWarning(code=WarningCode.UNKNOWN_ORIGIN, message=message, count=count)
