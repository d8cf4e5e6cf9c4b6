"""The accord in plain English: the sentences that both teams sign."""

from decimal import Decimal

from schema.accord import (
    Accord,
    AllOf,
    AnyOf,
    ContactPolicy,
    DealFilter,
    DealIs,
    Exit,
    FieldIs,
    HandoffIs,
    Not,
    RejectReason,
    Rule,
    Stage,
    StageReached,
    Touches,
    TouchFilter,
)
from schema.durations import format_duration
from schema.vocab import DealOutcome, Disposition, HandoffStatus, TeamKind, Vocabulary

_SIGNS = {
    "eq": "is",
    "ne": "is known and is not",
    "lt": "is below",
    "lte": "is at most",
    "gt": "is above",
    "gte": "is at least",
}
# A truth value of a contact reads better as what the person is.
_TRUTHS = {
    "contact.email_opt_out": ("opted out of e-mail", "not opted out of e-mail"),
    "contact.do_not_call": ("asked not to be called", "did not ask not to be called"),
    "contact.is_test": ("a test record", "no test record"),
    "contact.is_internal": ("one of our own people", "none of our own people"),
}
_HANDOFFS = {
    HandoffStatus.PROPOSED: "a handoff awaits sales' decision",
    HandoffStatus.ACCEPTED: "sales accepted a handoff",
    HandoffStatus.REJECTED: "sales rejected a handoff",
    HandoffStatus.RETURNED: "sales returned a handoff for more data",
}
_DEALS = {
    DealOutcome.OPEN: "has a role in an open deal",
    DealOutcome.WON: "has a role in a won deal",
    DealOutcome.LOST: "has a role in a lost deal",
}


def rule_sentence(rule: Rule, accord: Accord | None = None) -> str:
    """Render a rule, such as `at least 2 inbound touches within 30 days, and (e-mail known or phone known)`.

    The accord lends the titles of the stages that the rule asks for.
    """
    match rule:
        case AllOf(all=parts):
            if not parts:
                return "the contact exists"
            return ", and ".join(_bracketed(part, accord, within="all") for part in parts)
        case AnyOf(any=parts):
            return " or ".join(_bracketed(part, accord, within="any") for part in parts)
        case Not(negated=part):
            return f"not ({rule_sentence(part, accord)})"
        case _:
            return _leaf(rule, accord)


def _leaf(rule: FieldIs | Touches | HandoffIs | DealIs | StageReached, accord: Accord | None) -> str:
    match rule:
        case FieldIs():
            return _field(rule)
        case Touches(touches=what):
            return _touches(what)
        case HandoffIs(handoff=status):
            return _HANDOFFS[status]
        case DealIs(deal=deal):
            return _deal(deal)
        case StageReached():
            return _stage(rule, accord)


def stage_sentence(stage: Stage, accord: Accord) -> str:
    """Render when a contact enters a stage."""
    return f"A contact enters {stage.title} when: {rule_sentence(stage.rule, accord)}."


def window_sentence(stage: Stage, accord: Accord) -> str:
    """Render how long the step to the next stage may take."""
    rank = accord.rank(stage.key)
    if rank == len(accord.stages):
        return "It is the last stage."
    following = accord.stages[rank].title
    if stage.window is None:
        return f"The step to {following} may take any time."
    return f"The step to {following} counts within {format_duration(stage.window)}."


def exit_sentence(each: Exit, accord: Accord) -> str:
    """Render what an exit closes."""
    stages = {stage.key: stage.title for stage in accord.stages}
    first, last = stages[each.closes_from], stages[each.closes_to]
    closes = f"closes {first}" if first == last else f"closes {first} up to {last}"
    if each.on == "DEAL_LOST":
        return f"A lost deal, while the contact has no other open one, {closes}."
    kinds = " or ".join(f"to {_plain(disposition)}" for disposition in each.dispositions)
    unlisted = " (a reason that is not listed recycles)" if Disposition.RECYCLE in each.dispositions else ""
    return f"A handoff that sales rejects with a reason {kinds} {closes}{unlisted}."


def reason_sentence(reason: RejectReason) -> str:
    """Render a reject reason and what follows from it."""
    return (
        f"{reason.code}: {reason.label} (to {_plain(reason.disposition)}; cause on the side of {_plain(reason.fault)})."
    )


def policy_sentences(policy: ContactPolicy) -> tuple[str, ...]:
    """Render how often a person may be touched, and what does not count."""
    most = "1 touch" if policy.at_most == 1 else f"{policy.at_most} touches"
    rolling = f"in any {format_duration(policy.within)}"
    exempt = ["what a machine sends of itself"] if policy.exempt.automated else []
    if policy.exempt.reply_within:
        length = format_duration(policy.exempt.reply_within)
        exempt.append(f"an answer within {length} of the person's own touch")
    return (
        f"No person gets more than {most} from both teams together, over all channels, {rolling}.",
        f"Not counted: {' and '.join(exempt)}." if exempt else "Every touch of ours counts.",
    )


def reporting_sentences(accord: Accord) -> tuple[str, ...]:
    """Render how answers are cut."""
    said = accord.reporting
    excluded = " and ".join({"TEST": "test records", "INTERNAL": "our own people"}[each] for each in said.exclude)
    currency = f"Money is reported in {said.currency.value}." if said.currency else "No reporting currency is agreed."
    return (
        f"Days begin at midnight in {said.timezone}, weeks on {said.week_start.capitalize()}.",
        f"The fiscal year starts in month {said.fiscal_year_start_month}.",
        currency,
        f"Never counted: {excluded}." if excluded else "Test records and our own people are counted too.",
    )


def team_name(kind: TeamKind) -> str:
    """Name a team in a sentence."""
    return "revenue operations" if kind is TeamKind.REVOPS else kind.value.lower()


def _bracketed(rule: Rule, accord: Accord | None, *, within: str) -> str:
    """Render a part, in brackets where it would else read as belonging to its neighbours."""
    text = rule_sentence(rule, accord)
    parts = rule.all if isinstance(rule, AllOf) else rule.any if isinstance(rule, AnyOf) else ()
    mixes = isinstance(rule, AllOf) != (within == "all")
    return f"({text})" if len(parts) > 1 and mixes else text


def _field(rule: FieldIs) -> str:
    name = _field_name(rule)
    if rule.op == "is_null":
        return f"{name} {'unknown' if rule.value else 'known'}"
    if isinstance(rule.value, tuple):
        return f"{name} is {_either([_value(each) for each in rule.value])}"
    if isinstance(rule.value, bool):
        wanted = rule.value if rule.op == "eq" else not rule.value
        yes, no = _TRUTHS.get(rule.field, (f"{name} is true", f"{name} is false"))
        return yes if wanted else no
    return f"{name} {_SIGNS[rule.op]} {_value(rule.value)}"


def _field_name(rule: FieldIs) -> str:
    words = rule.column.removesuffix("_id").replace("_", " ").replace("email", "e-mail")
    return words if rule.table == "contact" else f"the company's {words}"


def _value(value: bool | int | Decimal | str) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)


def _touches(what: TouchFilter) -> str:
    direction = f"{what.direction.value.lower()} " if what.direction else ""
    one = what.at_least == 1
    text = f"at least {what.at_least} {direction}touch" + ("" if one else "es")
    if what.team:
        text += f" by {team_name(what.team)}"
    text += _of(what.kind, " of kind ") + _of(what.channel, " through ") + _of(what.outcome, " with outcome ")
    if what.campaign:
        text += " of campaign " + _either([f"'{each}'" for each in what.campaign])
    return text + (f" within {format_duration(what.within)}" if what.within else "")


def _of(words: tuple[Vocabulary, ...], lead: str) -> str:
    return lead + _either([_plain(word) for word in words]) if words else ""


def _deal(deal: DealFilter) -> str:
    text = _DEALS[deal.state]
    if deal.pipeline:
        text += f" of pipeline '{deal.pipeline}'"
    if deal.amount_at_least is not None:
        text += f" of at least {deal.amount_at_least}"
    return text


def _stage(rule: StageReached, accord: Accord | None) -> str:
    title = (
        next((stage.title for stage in accord.stages if stage.key == rule.stage), rule.stage) if accord else rule.stage
    )
    return f"{title} was entered before" + (f", within {format_duration(rule.within)}" if rule.within else "")


def _plain(word: Vocabulary) -> str:
    return word.value.lower().replace("_", " ").replace("email", "e-mail")


def _either(words: list[str]) -> str:
    """Render `a`, `a or b`, `a, b or c`."""
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
