"""Attribution and targets in plain English: how results are credited, and which ones are agreed."""

from schema.accord import Accord
from schema.clauses.attribution import Attribution, AttributionModel
from schema.clauses.clause_vocab import AttributionAnchor, AttributionMethod
from schema.clauses.targets import Target
from schema.durations import format_duration
from schema.kpis import CATALOGUE
from schema.kpis.variants import SourcedRule
from schema.sentences.words import listed, percent, plain, team_name
from schema.vocab import Unit

_TOUCHES = {
    "first_touch": "the first touch",
    "lead_creation": "the touch at the entry into {lead}",
    "deal_opened": "the touch at the opening of the deal",
    "deal_won": "the touch at the winning of the deal",
    "last_touch": "the last touch",
    "rest": "all other touches in equal parts",
}
_ANCHORS = {
    AttributionAnchor.LEAD_CREATION: "the entry into {lead}",
    AttributionAnchor.DEAL_OPENED: "the opening of the deal",
    AttributionAnchor.DEAL_WON: "the winning of the deal",
}
_METHODS = {
    AttributionMethod.MARKOV: "the credit follows from how many fewer paths would convert without the channel",
    AttributionMethod.SHAPLEY: "every converting path is shared equally by the distinct channels on it",
}
_SOURCED = {
    SourcedRule.LEAD_SOURCE: "the lead source of its primary contact is one of marketing's",
    SourcedRule.FIRST_TOUCH: "marketing made the first touch of anybody on it",
    SourcedRule.BEFORE_FIRST_SALES_TOUCH: "marketing touched anybody on it before the first touch by sales",
}


def attribution_sentences(attribution: Attribution, accord: Accord) -> tuple[str, ...]:
    """Render the models, which of them counts, and what is sourced by marketing."""
    canonical = next(model.title for model in attribution.models if model.key == attribution.canonical)
    return (
        *(model_sentence(model, attribution, accord) for model in attribution.models),
        f"The model that counts is {canonical}.",
        f"Marketing sourced a deal if {_SOURCED[attribution.sourced]}.",
        *_lead_sources(attribution),
    )


def model_sentence(model: AttributionModel, attribution: Attribution, accord: Accord) -> str:
    """Render a model, such as `Position: 40 % to the first touch, …; touches of the 90 days up to … count`."""
    lead = next(stage.title for stage in accord.stages if stage.key == attribution.lead_stage)
    anchor = _ANCHORS[model.anchor].format(lead=lead)
    span = f"touches of the {format_duration(model.look_back)} up to {anchor} count"
    return f"{model.title}: {_shares(model, lead)}; {span}."


def _lead_sources(attribution: Attribution) -> tuple[str, ...]:
    named = attribution.marketing_lead_sources
    return (f"The lead sources of marketing are {listed([*named])}.",) if named else ()


def target_sentence(target: Target, accord: Accord) -> str:
    """Render a target, such as `Marketing qualified leads in 2027-Q1: 300, with channel EMAIL, by marketing`."""
    kpi = CATALOGUE.get(target.kpi)
    title, unit = (kpi.title, kpi.unit) if kpi else (target.kpi, None)
    parts = [f"{title} in {target.period}: {_target_value(target, unit, accord)}"]
    if target.only:
        parts.append(f"with {plain(target.only.dimension)} {target.only.value}")
    if target.team:
        parts.append(f"by {team_name(target.team)}")
    return ", ".join(parts) + "."


def _shares(model: AttributionModel, lead: str) -> str:
    if model.weights is not None:
        shares = model.weights.shares.items()
        return listed([f"{percent(share)} to {_TOUCHES[name].format(lead=lead)}" for name, share in shares])
    if model.half_life is not None:
        return f"a touch has half the credit of one that is {format_duration(model.half_life)} younger"
    return _METHODS[model.method]


def _target_value(target: Target, unit: Unit | None, accord: Accord) -> str:
    if target.duration is not None:
        return format_duration(target.duration)
    if target.value is None:
        raise ValueError("a target has a value or a duration")
    if unit is Unit.RATIO:
        return percent(target.value)
    currency = accord.reporting.currency
    if unit is Unit.MONEY_PER_DAY and currency:
        return f"{target.value:,} {currency.value} per day"
    return f"{target.value:,} {currency.value}" if unit is Unit.MONEY and currency else f"{target.value:,}"
