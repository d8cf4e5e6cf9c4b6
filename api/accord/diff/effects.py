"""What a change of a clause does by itself. An effect takes the clause before and after; None is no clause."""

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

from api.accord.diff.changes import Marks
from api.accord.diff.leaf_implication import is_at_most
from api.accord.diff.rule_effect import rule_effect
from schema.accord_vocab import AccordChangeMark
from schema.clauses.calendars import minutes_of
from schema.clauses.contact_policy import ChannelCap, ContactPolicy, QuietHours
from schema.clauses.exits import Exit, RejectReason
from schema.clauses.handoff_duties import AttemptsDuty, SalesDuties
from schema.clauses.stages import Stage
from schema.vocab import Disposition

Effect = Callable[[Any, Any], Marks]

_RENAMES = (AccordChangeMark.RENAMES,)
_WIDENS = (AccordChangeMark.WIDENS,)
_NARROWS = (AccordChangeMark.NARROWS,)
_MOVES = (AccordChangeMark.MOVES,)
_REPORTING_ONLY = (AccordChangeMark.REPORTING_ONLY,)
_UNKNOWN = (AccordChangeMark.UNKNOWN,)
_DAY = 24 * 60  # minutes


def renames(_before: object, _after: object) -> Marks:
    """Only words change."""
    return _RENAMES


def reports(_before: object, _after: object) -> Marks:
    """No entry of a stage changes."""
    return _REPORTING_ONLY


def moves(_before: object, _after: object) -> Marks:
    """What is due, is due at another time."""
    return _MOVES


def is_unknown(_before: object, _after: object) -> Marks:
    """Nothing is proven."""
    return _UNKNOWN


def limits(before: object, after: object) -> Marks:
    """A limit as a whole: adding it allows less, removing it allows more."""
    if before is None:
        return _NARROWS
    return _WIDENS if after is None else _UNKNOWN


def duty(before: object, after: object) -> Marks:
    """A duty. Adding or removing it changes reports only; changing its time moves deadlines."""
    return _REPORTING_ONLY if before is None or after is None else _MOVES


def entry_rule(before: Stage, after: Stage) -> Marks:
    """The entry rule of a stage."""
    return rule_effect(before.rule, after.rule)


def window(before: Stage, after: Stage) -> Marks:
    """The conversion window of a stage: a step that counted within a shorter one counts within a longer one."""
    return _WIDENS if is_at_most(before.window, after.window) else _NARROWS


def needs(before: Stage, after: Stage) -> Marks:
    """What has to be filled in: whoever has more filled in is complete by fewer needs, too."""
    return _required(before.needs, after.needs)


def reject_with(before: SalesDuties, after: SalesDuties) -> Marks:
    """What a rejection has to have."""
    return _required(before.reject_with, after.reject_with)


def reject_reason(before: RejectReason | None, after: RejectReason | None) -> Marks:
    """A reject reason. Exits read its disposition alone, and take a reason that is not listed as one to recycle."""
    old, new = (Disposition.RECYCLE if reason is None else reason.disposition for reason in (before, after))
    if old is not new:
        return _UNKNOWN
    is_reworded = before is not None and after is not None and before.fault is after.fault
    return _RENAMES if is_reworded else _REPORTING_ONLY


def exit_of_entries(before: Exit | None, after: Exit | None) -> Marks:
    """An exit. It cuts the time of people into segments, so that its change may let people in or keep them out."""
    if before is None or after is None or set(before.dispositions) != set(after.dispositions):
        return _UNKNOWN
    is_reordered = before.model_copy(update={"dispositions": after.dispositions}) == after
    return _RENAMES if is_reordered else _UNKNOWN


def contact_limit(before: ContactPolicy | ChannelCap | None, after: ContactPolicy | ChannelCap | None) -> Marks:
    """A limit of touches: more of them in a shorter time are allowed by the looser one."""
    if before is None or after is None:
        return limits(before, after)
    loosens = before.at_most <= after.at_most and after.within <= before.within
    tightens = after.at_most <= before.at_most and before.within <= after.within
    return _WIDENS if loosens else _NARROWS if tightens else _UNKNOWN


def exemptions(before: ContactPolicy, after: ContactPolicy) -> Marks:
    """The touches that do not count: exempting more allows more."""
    old, new = before.exempt, after.exempt
    loosens = old.automated <= new.automated and _exempts_at_most(old.reply_within, new.reply_within)
    tightens = new.automated <= old.automated and _exempts_at_most(new.reply_within, old.reply_within)
    return _WIDENS if loosens else _NARROWS if tightens else _UNKNOWN


def quiet_hours(before: QuietHours | None, after: QuietHours | None) -> Marks:
    """The quiet hours: fewer of them, through fewer channels, allow more."""
    if before is None or after is None:
        return limits(before, after)
    if before.timezone != after.timezone:
        return _UNKNOWN
    if _is_quieter(before, after):
        return _RENAMES if _is_quieter(after, before) else _WIDENS
    return _NARROWS if _is_quieter(after, before) else _UNKNOWN


def attempts(before: SalesDuties, after: SalesDuties) -> Marks:
    """The attempts to reach a person: the time for them, or how many there are."""
    old, new = before.attempts, after.attempts
    is_moved = isinstance(old, AttemptsDuty) and isinstance(new, AttemptsDuty) and old.at_least == new.at_least
    return _MOVES if is_moved else _REPORTING_ONLY


def _exempts_at_most(fewer: timedelta | None, more: timedelta | None) -> bool:
    """Return whether an exemption of replies is within another one; None exempts none."""
    return fewer is None or (more is not None and fewer <= more)


def _is_quieter(more: QuietHours, less: QuietHours) -> bool:
    """Return whether the one is quiet whenever, and through every channel through which, the other one is."""
    through = not more.channels or (less.channels and {*less.channels} <= {*more.channels})
    return bool(through) and _quiet_minutes(less) <= _quiet_minutes(more)


def _quiet_minutes(quiet: QuietHours) -> frozenset[int]:
    first, end = minutes_of(quiet.starts_at), minutes_of(quiet.until)
    return frozenset(minute % _DAY for minute in range(first, end if first < end else end + _DAY))


def _required(before: Collection[str], after: Collection[str]) -> Marks:
    old, new = set(before), set(after)
    if old == new:
        return _RENAMES
    return _NARROWS if old < new else _WIDENS if new < old else _UNKNOWN
