"""The rules of an accord in plain English: when a contact enters a stage."""

from decimal import Decimal

from schema.accord import Accord
from schema.clauses.rules import (
    AllOf,
    AnyOf,
    DealFilter,
    DealIs,
    FieldIs,
    HandoffIs,
    Not,
    Reported,
    ReportFilter,
    Rule,
    RuleLeaf,
    Score,
    ScoreSum,
    ScoreTerm,
    Silence,
    StageReached,
    TouchCount,
    Touches,
    TouchFilter,
)
from schema.durations import format_duration
from schema.sentences.words import either, plain, team_name
from schema.vocab import DealOutcome, HandoffStatus, Vocabulary

_SIGNS = {
    "eq": "is",
    "ne": "is known and is not",
    "lt": "is below",
    "lte": "is at most",
    "gt": "is above",
    "gte": "is at least",
}
# A boolean column reads better as a statement about the person. First if it is true, then if it is false.
_TRUTHS = {
    "contact.email_opt_out": ("opted out of e-mail", "not opted out of e-mail"),
    "contact.do_not_call": ("asked not to be called", "did not ask not to be called"),
    "contact.is_test": ("a test record", "not a test record"),
    "contact.is_internal": ("one of our own people", "not one of our own people"),
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
    """Render a rule, such as `at least 2 inbound touches less than 30 days ago, and (e-mail known or phone known)`.

    A stage that the rule names is rendered as its title in the accord, or as its key without an accord.
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


def _leaf(rule: RuleLeaf, accord: Accord | None) -> str:
    match rule:
        case FieldIs():
            return _field(rule)
        case Touches() | Score() | Silence():
            return _of_touches(rule, accord)
        case HandoffIs(handoff=status, after=after):
            return _HANDOFFS[status] + _after(after, accord)
        case Reported(reported=wanted):
            return _reported(wanted)
        case DealIs(deal=deal):
            return _deal(deal)
        case StageReached():
            return _stage(rule, accord)


def _of_touches(rule: Touches | Score | Silence, accord: Accord | None) -> str:
    match rule:
        case Touches(touches=wanted):
            return _touches(wanted, accord)
        case Score(score=wanted):
            return _score(wanted)
        case Silence(silence=length):
            return f"no touch of any kind for {format_duration(length)}"


def _bracketed(rule: Rule, accord: Accord | None, *, within: str) -> str:
    """Render a part of `all` or `any`, in brackets if its own parts would read as parts of the outer rule."""
    text = rule_sentence(rule, accord)
    parts = rule.all if isinstance(rule, AllOf) else rule.any if isinstance(rule, AnyOf) else ()
    mixes = isinstance(rule, AllOf) != (within == "all")
    return f"({text})" if len(parts) > 1 and mixes else text


def _field(rule: FieldIs) -> str:
    name = _field_name(rule)
    if rule.op == "is_null":
        return f"{name} {'unknown' if rule.value else 'known'}"
    if isinstance(rule.value, tuple):
        return f"{name} is {either([_value(value) for value in rule.value])}"
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


def _touches(wanted: TouchCount, accord: Accord | None) -> str:
    text = f"at least {wanted.at_least} {_kind_of_touch(wanted, is_one=wanted.at_least == 1)}"
    if wanted.within:
        text += f" less than {format_duration(wanted.within)} ago"
    return text + _after(wanted.after, accord)


def _score(wanted: ScoreSum) -> str:
    parts = [_points(term) for term in wanted.terms]
    if wanted.half_life:
        parts.append(f"halved every {format_duration(wanted.half_life).removeprefix('1 ')}")
    return f"a score of at least {wanted.at_least} ({'; '.join(parts)})"


def _points(term: ScoreTerm) -> str:
    unit = "point" if abs(term.points) == 1 else "points"
    return f"{term.points} {unit} for each {_kind_of_touch(term, is_one=True)}"


def _kind_of_touch(wanted: TouchFilter, *, is_one: bool) -> str:
    direction = f"{wanted.direction.value.lower()} " if wanted.direction else ""
    text = f"{direction}touch" + ("" if is_one else "es")
    if wanted.team:
        text += f" by {team_name(wanted.team)}"
    text += _of(wanted.kind, " of kind ") + _of(wanted.channel, " through ") + _of(wanted.outcome, " with outcome ")
    if wanted.campaign:
        text += " of campaign " + either([f"'{name}'" for name in wanted.campaign])
    return text


def _reported(wanted: ReportFilter) -> str:
    return f"the stage that {wanted.source} reported last is " + either([f"'{stage}'" for stage in wanted.stage])


def _of(words: tuple[Vocabulary, ...], lead: str) -> str:
    return lead + either([plain(word) for word in words]) if words else ""


def _deal(deal: DealFilter) -> str:
    text = _DEALS[deal.state]
    if deal.pipeline:
        text += f" of pipeline '{deal.pipeline}'"
    if deal.amount_at_least is not None:
        text += f" of at least {deal.amount_at_least}"
    # A lower bound from 0 on says it already.
    is_bounded = deal.amount_at_least is not None and deal.amount_at_least >= 0
    return text if is_bounded else f"{text} whose amount is not negative"


def _stage(rule: StageReached, accord: Accord | None) -> str:
    when = f"less than {format_duration(rule.within)} ago" if rule.within else "before"
    return f"{_title(rule.stage, accord)} was entered {when}"


def _after(key: str | None, accord: Accord | None) -> str:
    return "" if key is None else f" after {_title(key, accord)} was entered"


def _title(key: str, accord: Accord | None) -> str:
    stages = accord.stages if accord else ()
    return next((stage.title for stage in stages if stage.key == key), key)
