"""The sentences of single clauses: those of the whole section, rendered for a section that has this clause alone."""

from datetime import timedelta
from typing import Any

from schema.accord import Accord
from schema.clauses.attribution import Attribution, AttributionModel
from schema.clauses.calendars import BusinessCalendar
from schema.clauses.contact_policy import ChannelCap, ContactPolicy, QuietHours
from schema.clauses.handoff_duties import HandoffDuties, MarketingDuties, SalesDuties
from schema.sentences.clause_sentences import policy_sentences
from schema.sentences.duty_sentences import calendar_sentences, duty_sentences
from schema.sentences.result_sentences import attribution_sentences, model_sentence

_DAY = timedelta(days=1)


def limit_sentence(policy: ContactPolicy, accord: Accord) -> str:
    """Render the limit over all channels."""
    return policy_sentences(_without_parts(policy), accord)[0]


def exempt_sentence(policy: ContactPolicy, accord: Accord) -> str:
    """Render which touches do not count."""
    return policy_sentences(_without_parts(policy), accord)[1]


def cap_sentence(cap: ChannelCap, accord: Accord) -> str:
    """Render the limit of one channel."""
    return policy_sentences(ContactPolicy(at_most=1, within=_DAY, channel_caps=(cap,)), accord)[1]


def quiet_sentence(quiet: QuietHours, accord: Accord) -> str:
    """Render the quiet hours."""
    return policy_sentences(ContactPolicy(at_most=1, within=_DAY, quiet_hours=quiet), accord)[-1]


def hours_sentence(calendar: BusinessCalendar, accord: Accord) -> str:
    """Render the opening hours of a calendar."""
    return calendar_sentences(calendar, accord)[0]


def holidays_sentence(calendar: BusinessCalendar, accord: Accord) -> str:
    """Render the public holidays of a calendar."""
    found = calendar_sentences(calendar.model_copy(update={"closed": ()}), accord)[1:]
    return " ".join(found) or f"{calendar.title} is open on public holidays."


def closed_days_sentence(calendar: BusinessCalendar, accord: Accord) -> str:
    """Render the further days on which a calendar is closed."""
    found = calendar_sentences(calendar.model_copy(update={"holidays": None}), accord)[1:]
    return " ".join(found) or f"{calendar.title} has no further closed days."


def marketing_sentence(field: str, duty: Any, accord: Accord) -> str:  # noqa: ANN401 - a duty of that field
    """Render one of the duties in a list of what marketing owes sales."""
    return " ".join(duty_sentences(HandoffDuties(marketing=MarketingDuties.model_validate({field: (duty,)})), accord))


def sales_sentence(field: str, duties: SalesDuties, accord: Accord) -> str:
    """Render one of the duties of sales; empty if it is not agreed."""
    only = SalesDuties.model_validate({"reject_with": (), field: getattr(duties, field)})
    return " ".join(duty_sentences(HandoffDuties(sales=only), accord))


def attribution_model_sentence(model: AttributionModel, accord: Accord) -> str:
    """Render an attribution model."""
    if accord.attribution is None:
        raise ValueError("the accord has no attribution")
    return model_sentence(model, accord.attribution, accord)


def canonical_model_sentence(attribution: Attribution, accord: Accord) -> str:
    """Render which attribution model counts."""
    return attribution_sentences(attribution, accord)[-2]


def sourced_sentence(attribution: Attribution, accord: Accord) -> str:
    """Render when marketing sourced a deal."""
    return attribution_sentences(attribution, accord)[-1]


def lead_stage_sentence(attribution: Attribution, accord: Accord) -> str:
    """Render which stage is that of leads."""
    title = next(stage.title for stage in accord.stages if stage.key == attribution.lead_stage)
    return f"A lead is created when a person enters {title}."


def _without_parts(policy: ContactPolicy) -> ContactPolicy:
    return policy.model_copy(update={"channel_caps": (), "quiet_hours": None})
