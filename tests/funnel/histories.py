"""Generated histories and accords. Instants lie on a coarse grid, so that ties and exact windows are frequent."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from api.funnel.reference_facts import (
    TICK,
    CompanyHistories,
    ContactHistory,
    DealRole,
    DealState,
    FieldValue,
    HandoffFact,
    RecordVersion,
    ReportFact,
    TouchFact,
)
from schema.accord import Accord
from schema.clauses.exits import Exit, RejectReason
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
    Score,
    ScoreSum,
    ScoreTerm,
    Silence,
    StageReached,
    TouchCount,
    Touches,
    TouchFilter,
)
from schema.clauses.stages import Stage
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
WITHOUT_VERSIONS = "018f0000-0000-7000-8000-00000000000c"  # a company without a version row
CAMPAIGNS = ("spring", "autumn")
SOURCES = ("hubspot", "salesforce")
REPORTED_STAGES = ("lead", "mql", "customer")
# Short ones, so that what is older than two blocks of the SQL, of 256 half-lives, is among the touches.
HALF_LIVES = (
    None,
    timedelta(days=1),
    timedelta(days=3),
    timedelta(hours=1),
    timedelta(minutes=5),
    timedelta(seconds=1),
)
_POINTS = (Decimal(10), Decimal(5), Decimal("2.5"), Decimal("0.01"), Decimal(-5))
PIPELINES = ("new", "renewal")
_FIELDS: tuple[tuple[str, str, tuple[FieldValue, ...]], ...] = (
    ("contact.email", "personal", (None, "a@x.io", "b@x.io")),
    ("contact.job_title", "text", (None, "CEO", "CTO")),
    ("contact.lead_score", "number", (None, 40, 50)),
    ("contact.email_opt_out", "boolean", (False, True)),
    ("company.industry", "text", (None, "tools", "toys")),
    ("company.annual_revenue", "number", (None, Decimal("1.50"), Decimal(2))),
)


def instant(choices: RandomChoices) -> datetime:
    """A whole day, or sometimes a microsecond before or after it."""
    nudge = choices.one((0, 0, 0, 0, 0, 0, -1, 1))
    return START + timedelta(days=choices.integer(0, DAYS)) + nudge * TICK


def intervals(choices: RandomChoices, most: int) -> list[tuple[datetime, datetime | None]]:
    """Successive intervals: some of them empty, few with a gap between them or an end of the last one."""
    starts = sorted(choices.several(1, most, lambda: instant(choices)))
    ends: list[datetime | None] = [*starts[1:], None]
    if choices.happens(12):
        ends[-1] = starts[-1] + timedelta(days=2)
    if len(starts) > 1 and choices.happens(6) and starts[0] + TICK < starts[1]:
        ends[0] = starts[0] + TICK
    return list(zip(starts, ends, strict=True))


def companies(choices: RandomChoices) -> CompanyHistories:
    """Two companies, each with generated versions."""
    return {key: _versions(choices, "company") for key in COMPANIES}


def contact(choices: RandomChoices) -> ContactHistory:
    """One contact with every kind of fact that a rule can read."""
    return ContactHistory(
        versions=_versions(choices, "contact"),
        touches=choices.several(0, 7, lambda: _touch(choices)),
        handoffs=choices.several(0, 3, lambda: _handoff(choices)),
        roles=choices.several(0, 3, lambda: _role(choices)),
        reports=choices.several(0, 4, lambda: _report(choices)),
    )


def accord(choices: RandomChoices) -> Accord:
    """An accord with one to four stages, generated rules and exits."""
    keys = ["s1", "s2", "s3", "s4"][: choices.integer(1, 4)]
    stages = tuple(
        Stage(
            key=key, title=key, group="g", owner=TeamKind.SALES, meaning=key, rule=rule(choices, tuple(keys[:rank]), 3)
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
        exits=choices.several(0, 3, lambda: _exit(choices, keys)),
        reject_reasons=reasons,
    )


def rule(choices: RandomChoices, lower: tuple[str, ...], depth: int) -> Rule:
    """A rule tree of at most the given depth."""
    if depth == 3 and choices.happens(4):
        return AllOf(
            all=choices.several(2, 3, lambda: _leaf(choices, lower))
        )  # a flat rule, the most frequent shape in practice
    kind = choices.integer(0, 9) if depth > 0 else 9
    if kind <= 2:
        return AllOf(all=choices.several(0, 3, lambda: rule(choices, lower, depth - 1)))
    if kind <= 4:
        return AnyOf(any=choices.several(1, 3, lambda: rule(choices, lower, depth - 1)))
    if kind == 5:
        return Not(negated=rule(choices, lower, depth - 1))
    return _leaf(choices, lower)


def _leaf(choices: RandomChoices, lower: tuple[str, ...]) -> Rule:
    match choices.integer(0, 14):
        case 0 | 1 | 2:
            return Touches(touches=_count(choices, lower))
        case 3 | 4:
            return _field(choices)
        case 5 | 6:
            return HandoffIs(handoff=choices.one(tuple(HandoffStatus)), after=choices.one((None, None, *lower)))
        case 7 | 8:
            return Score(score=_score(choices))
        case 9:
            return Silence(silence=choices.one(WINDOWS[1:]))
        case 10 | 11:
            stages = choices.some(REPORTED_STAGES) or REPORTED_STAGES[1:]
            return Reported(reported=ReportFilter(source=choices.one(SOURCES), stage=stages))
        case 12 | 13:
            return DealIs(
                deal=DealFilter(
                    state=choices.one(tuple(DealOutcome)),
                    pipeline=choices.one((None, None, *PIPELINES)),
                    amount_at_least=choices.one((None, Decimal(-10), Decimal(10))),
                )
            )
        case _ if lower:
            return StageReached(stage=choices.one(lower), within=choices.one(WINDOWS))
        case _:
            return Touches(touches=_count(choices, lower))


def _filter(choices: RandomChoices) -> TouchFilter:
    return TouchFilter(
        kind=choices.some((TouchKind.FORM, TouchKind.CALL)),
        channel=choices.one(((), (), (Channel.PHONE,))),
        direction=choices.one((None, None, Direction.INBOUND)),
        team=choices.one((None, None, TeamKind.SALES)),
        campaign=choices.one(((), (), (), CAMPAIGNS[:1], CAMPAIGNS)),
        outcome=choices.one(((), (), (TouchOutcome.QUALIFIED,))),
    )


def _count(choices: RandomChoices, lower: tuple[str, ...]) -> TouchCount:
    return TouchCount(
        **dict(_filter(choices)),
        at_least=choices.one((1, 1, 2, 2, 3)),
        within=choices.one(WINDOWS),
        after=choices.one((None, None, *lower)),
    )


def _score(choices: RandomChoices) -> ScoreSum:
    terms = [ScoreTerm(**dict(_filter(choices)), points=choices.one(_POINTS)) for _ in range(choices.integer(0, 2))]
    return ScoreSum(
        terms=(ScoreTerm(**dict(_filter(choices)), points=choices.one(_POINTS[:4])), *terms),
        half_life=choices.one(HALF_LIVES),
        at_least=choices.one((Decimal("0.01"), Decimal("1.25"), Decimal(5), Decimal(10), Decimal(15))),
    )


def _field(choices: RandomChoices) -> FieldIs:
    field, kind, values = choices.one(_FIELDS)
    known = tuple(value for value in values if value is not None)
    ops = {"text": ("eq", "ne", "in"), "number": ("eq", "lt", "lte", "gt", "gte"), "boolean": ("eq", "ne")}
    op = choices.one((*ops.get(kind, ()), "is_null"))
    value = choices.happens(2) if op == "is_null" else known if op == "in" else choices.one(known)
    return FieldIs.model_validate({"field": field, "op": op, "value": value})


def _exit(choices: RandomChoices, keys: list[str]) -> Exit:
    low = choices.integer(0, len(keys) - 1)
    first, last = keys[low], keys[choices.integer(low, len(keys) - 1)]
    if choices.happens(2):
        return Exit(on="DEAL_LOST", closes_from=first, closes_to=last)
    options = ((Disposition.RECYCLE,), (Disposition.DISQUALIFY,), (Disposition.RECYCLE, Disposition.DISQUALIFY))
    return Exit(on="HANDOFF_REJECTED", dispositions=choices.one(options), closes_from=first, closes_to=last)


def _versions(choices: RandomChoices, table: str) -> tuple[RecordVersion, ...]:
    rows = []
    for starts_at, ends_at in intervals(choices, 4):
        values = {
            field.partition(".")[2]: choices.one(values) for field, _, values in _FIELDS if field.startswith(table)
        }
        if table == "contact":
            values["company_id"] = choices.one((None, *COMPANIES, WITHOUT_VERSIONS))
        rows.append(RecordVersion(starts_at, ends_at, values))
    return tuple(rows)


def _touch(choices: RandomChoices) -> TouchFact:
    return TouchFact(
        at=instant(choices),
        kind=choices.one((TouchKind.FORM, TouchKind.CALL)),
        direction=choices.one(tuple(Direction)),
        channel=choices.one((None, Channel.PHONE)),
        team=choices.one((None, TeamKind.SALES)),
        campaign=choices.one((None, *CAMPAIGNS)),
        outcome=choices.one((None, TouchOutcome.QUALIFIED)),
    )


def _handoff(choices: RandomChoices) -> HandoffFact:
    handed, other = sorted((instant(choices), instant(choices)))
    status = choices.one((*HandoffStatus, HandoffStatus.REJECTED, HandoffStatus.REJECTED))
    reason = choices.one(("REC", "DIS", "RET", "UNLISTED")) if status is HandoffStatus.REJECTED else None
    return HandoffFact(handed, None if status is HandoffStatus.PROPOSED else other, status, reason)


def _report(choices: RandomChoices) -> ReportFact:
    return ReportFact(instant(choices), choices.one(SOURCES), choices.one(REPORTED_STAGES))


def _role(choices: RandomChoices) -> DealRole:
    states = tuple(
        DealState(
            starts_at,
            ends_at,
            outcome=choices.one(
                (DealOutcome.OPEN, DealOutcome.OPEN, DealOutcome.LOST, DealOutcome.LOST, DealOutcome.WON)
            ),
            amount=choices.one((None, Decimal(-5), Decimal(5), Decimal(15))),
            pipeline=choices.one((None, *PIPELINES)),
        )
        for starts_at, ends_at in intervals(choices, 4)
    )
    return DealRole(states, choices.one((None, None, instant(choices))))
