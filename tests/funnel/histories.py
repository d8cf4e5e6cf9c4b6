"""Generated histories and accords: instants from a coarse grid, so that ties and exact windows are frequent."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from api.funnel.reference import (
    TICK,
    CompanyHistories,
    ContactHistory,
    DealRole,
    DealState,
    FieldValue,
    HandoffFact,
    RecordVersion,
    TouchFact,
)
from schema.accord import (
    Accord,
    AllOf,
    AnyOf,
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
from schema.vocab import (
    Channel,
    DealOutcome,
    Direction,
    Disposition,
    FaultDomain,
    HandoffStatus,
    TeamKind,
    TouchKind,
    TouchOutcome,
)
from tests.support.random_choices import RandomChoices

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 12
WINDOWS = (None, timedelta(days=1), timedelta(days=2), timedelta(days=4))
COMPANIES = ("018f0000-0000-7000-8000-00000000000a", "018f0000-0000-7000-8000-00000000000b")
NOBODYS = "018f0000-0000-7000-8000-00000000000c"  # a company without any version
CAMPAIGNS = ("spring", "autumn")
PIPELINES = ("new", "renewal")
_FIELDS: tuple[tuple[str, str, tuple[FieldValue, ...]], ...] = (
    ("contact.email", "text", (None, "a@x.io", "b@x.io")),
    ("contact.lead_score", "number", (None, 40, 50)),
    ("contact.email_opt_out", "truth", (False, True)),
    ("company.industry", "text", (None, "tools", "toys")),
    ("company.annual_revenue", "number", (None, Decimal("1.50"), Decimal(2))),
)


def instant(chance: RandomChoices) -> datetime:
    """A whole day, now and then a microsecond beside it."""
    nudge = chance.one((0, 0, 0, 0, 0, 0, -1, 1))
    return START + timedelta(days=chance.integer(0, DAYS)) + nudge * TICK


def cuts(chance: RandomChoices, most: int) -> list[tuple[datetime, datetime | None]]:
    """Successive intervals; some empty, rarely with a gap or an end."""
    begins = sorted(chance.several(1, most, lambda: instant(chance)))
    ends: list[datetime | None] = [*begins[1:], None]
    if chance.happens(12):
        ends[-1] = begins[-1] + timedelta(days=2)
    if len(begins) > 1 and chance.happens(6) and begins[0] + TICK < begins[1]:
        ends[0] = begins[0] + TICK
    return list(zip(begins, ends, strict=True))


def companies(chance: RandomChoices) -> CompanyHistories:
    """Two companies with a history."""
    return {key: _versions(chance, "company") for key in COMPANIES}


def person(chance: RandomChoices) -> ContactHistory:
    """One contact with everything that a rule can read."""
    return ContactHistory(
        versions=_versions(chance, "contact"),
        touches=chance.several(0, 7, lambda: _touch(chance)),
        handoffs=chance.several(0, 3, lambda: _handoff(chance)),
        roles=chance.several(0, 3, lambda: _role(chance)),
    )


def accord(chance: RandomChoices) -> Accord:
    """A ladder with generated rules and exits."""
    keys = ["s1", "s2", "s3", "s4"][: chance.integer(1, 4)]
    stages = tuple(
        Stage(
            key=key, title=key, group="g", owner=TeamKind.SALES, meaning=key, rule=rule(chance, tuple(keys[:rank]), 3)
        )
        for rank, key in enumerate(keys)
    )
    reasons = tuple(
        RejectReason(code=code, label=code, disposition=disposition, fault=FaultDomain.NEITHER)
        for code, disposition in zip(("REC", "DIS", "RET"), Disposition, strict=True)
    )
    return Accord(
        title="generated",
        stages=stages,
        exits=chance.several(0, 3, lambda: _exit(chance, keys)),
        reject_reasons=reasons,
    )


def rule(chance: RandomChoices, lower: tuple[str, ...], depth: int) -> Rule:
    """A rule tree of at most that depth."""
    if depth == 3 and chance.happens(4):
        return AllOf(all=chance.several(2, 3, lambda: _leaf(chance, lower)))  # as most accords have them
    kind = chance.integer(0, 9) if depth > 0 else 9
    if kind <= 2:
        return AllOf(all=chance.several(0, 3, lambda: rule(chance, lower, depth - 1)))
    if kind <= 4:
        return AnyOf(any=chance.several(1, 3, lambda: rule(chance, lower, depth - 1)))
    if kind == 5:
        return Not(negated=rule(chance, lower, depth - 1))
    return _leaf(chance, lower)


def _leaf(chance: RandomChoices, lower: tuple[str, ...]) -> Rule:
    match chance.integer(0, 9):
        case 0 | 1 | 2:
            return Touches(touches=_filter(chance))
        case 3 | 4:
            return _field(chance)
        case 5 | 6:
            return HandoffIs(handoff=chance.one(tuple(HandoffStatus)))
        case 7 | 8:
            return DealIs(
                deal=DealFilter(
                    state=chance.one(tuple(DealOutcome)),
                    pipeline=chance.one((None, None, *PIPELINES)),
                    amount_at_least=chance.one((None, None, Decimal(10))),
                )
            )
        case _ if lower:
            return StageReached(stage=chance.one(lower), within=chance.one(WINDOWS))
        case _:
            return Touches(touches=_filter(chance))


def _filter(chance: RandomChoices) -> TouchFilter:
    return TouchFilter(
        kind=chance.some((TouchKind.FORM, TouchKind.CALL)),
        channel=chance.one(((), (), (Channel.PHONE,))),
        direction=chance.one((None, None, Direction.INBOUND)),
        team=chance.one((None, None, TeamKind.SALES)),
        campaign=chance.one(((), (), (), CAMPAIGNS[:1], CAMPAIGNS)),
        outcome=chance.one(((), (), (TouchOutcome.QUALIFIED,))),
        at_least=chance.one((1, 1, 2, 2, 3)),
        within=chance.one(WINDOWS),
    )


def _field(chance: RandomChoices) -> FieldIs:
    field, kind, values = chance.one(_FIELDS)
    known = tuple(each for each in values if each is not None)
    ops = {"text": ("eq", "ne", "in"), "number": ("eq", "lt", "lte", "gt", "gte"), "truth": ("eq", "ne")}[kind]
    op = chance.one((*ops, "is_null"))
    value = chance.happens(2) if op == "is_null" else known if op == "in" else chance.one(known)
    return FieldIs.model_validate({"field": field, "op": op, "value": value})


def _exit(chance: RandomChoices, keys: list[str]) -> Exit:
    low = chance.integer(0, len(keys) - 1)
    first, last = keys[low], keys[chance.integer(low, len(keys) - 1)]
    if chance.happens(2):
        return Exit(on="DEAL_LOST", closes_from=first, closes_to=last)
    either = ((Disposition.RECYCLE,), (Disposition.DISQUALIFY,), (Disposition.RECYCLE, Disposition.DISQUALIFY))
    return Exit(on="HANDOFF_REJECTED", dispositions=chance.one(either), closes_from=first, closes_to=last)


def _versions(chance: RandomChoices, table: str) -> tuple[RecordVersion, ...]:
    made = []
    for starts_at, ends_at in cuts(chance, 4):
        values = {
            field.partition(".")[2]: chance.one(values) for field, _, values in _FIELDS if field.startswith(table)
        }
        if table == "contact":
            values["company_id"] = chance.one((None, *COMPANIES, NOBODYS))
        made.append(RecordVersion(starts_at, ends_at, values))
    return tuple(made)


def _touch(chance: RandomChoices) -> TouchFact:
    return TouchFact(
        at=instant(chance),
        kind=chance.one((TouchKind.FORM, TouchKind.CALL)),
        direction=chance.one(tuple(Direction)),
        channel=chance.one((None, Channel.PHONE)),
        team=chance.one((None, TeamKind.SALES)),
        campaign=chance.one((None, *CAMPAIGNS)),
        outcome=chance.one((None, TouchOutcome.QUALIFIED)),
    )


def _handoff(chance: RandomChoices) -> HandoffFact:
    handed, other = sorted((instant(chance), instant(chance)))
    status = chance.one((*HandoffStatus, HandoffStatus.REJECTED, HandoffStatus.REJECTED))
    reason = chance.one(("REC", "DIS", "RET", "UNLISTED")) if status is HandoffStatus.REJECTED else None
    return HandoffFact(handed, None if status is HandoffStatus.PROPOSED else other, status, reason)


def _role(chance: RandomChoices) -> DealRole:
    states = tuple(
        DealState(
            starts_at,
            ends_at,
            outcome=chance.one(
                (DealOutcome.OPEN, DealOutcome.OPEN, DealOutcome.LOST, DealOutcome.LOST, DealOutcome.WON)
            ),
            amount=chance.one((None, Decimal(5), Decimal(15))),
            pipeline=chance.one((None, *PIPELINES)),
        )
        for starts_at, ends_at in cuts(chance, 4)
    )
    return DealRole(states, chance.one((None, None, instant(chance))))
