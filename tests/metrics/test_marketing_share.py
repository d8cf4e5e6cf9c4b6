"""What marketing sourced and influenced equals a count in plain Python, over generated touches, roles and merges."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.metrics.answer import KpiAnswer
from api.metrics.query import query_kpis
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import KpiRequest, Period, Switches
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.accord import Accord
from schema.base import new_id
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.switch_words import CurrencyRule
from schema.kpis.variants import SourcedRule, VariantRule
from schema.vocab import Grain, RecordSide
from tests.metrics.test_against_oracle import QUICK
from tests.support.accords import replace_document
from tests.support.examples import examples

NOW, START = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
DAY, LOOK_BACK = timedelta(days=1), timedelta(days=20)
PERIOD = Period(date(2026, 2, 1), date(2026, 4, 1))
COUNTED_IN_A_WORLD = ("marketing_sourced", "marketing_influenced")
MARKETING_SOURCES = ("Webinar", "Fair")
PEOPLE = 3
# Few different days, so that touches are often at the opening, at one instant, or at the border of the look-back.
DAYS = st.integers(2, 9).map(lambda step: START + timedelta(days=10 * step))


@dataclass(frozen=True)
class Touch:
    at: datetime
    person: int
    team: str | None
    is_void: bool


@dataclass(frozen=True)
class Role:
    person: int
    since: datetime | None
    is_primary: bool
    is_void: bool


@dataclass(frozen=True)
class Made:
    opened_at: datetime | None
    amount: Decimal | None
    roles: tuple[Role, ...]


@dataclass(frozen=True)
class World:
    touches: tuple[Touch, ...]
    deals: tuple[Made, ...]
    sources: tuple[tuple[str | None, str | None], ...]  # of each person, before and after the first of March
    opted_out: tuple[tuple[datetime, datetime] | None, ...]  # from when until when, of each person
    is_merged: bool  # person 0 into person 1


TURN = datetime(2026, 3, 1, tzinfo=UTC)


@st.composite
def deals(draw: st.DrawFn) -> Made:
    people = draw(st.lists(st.integers(0, PEOPLE - 1), min_size=draw(st.integers(0, 1)), max_size=2, unique=True))
    primary = draw(st.sampled_from([None, *people]))
    roles = tuple(
        Role(
            person,
            draw(st.sampled_from([None, None, START, NOW + DAY])),
            person == primary,
            draw(st.integers(0, 7)) == 0,
        )
        for person in people
    )
    amount = draw(st.sampled_from([None, *(Decimal(2) ** power for power in range(9))]))
    return Made(
        draw(st.sampled_from([None, *(START + DAY * day for day in (0, 40, 40, 50, 50, 60, 70, 80, 100))])),
        amount,
        roles,
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    team = st.sampled_from(["MARKETING", "MARKETING", "SALES", None])
    touch = st.builds(Touch, DAYS, st.integers(0, PEOPLE - 1), team, st.integers(0, 5).map(lambda one: one == 0))
    source = st.sampled_from([None, "Webinar", "Fair", "Outbound"])
    return World(
        tuple(draw(st.lists(touch, min_size=4, max_size=12))),
        tuple(draw(st.lists(deals(), min_size=9, max_size=12))),
        tuple((draw(source), draw(source)) for _ in range(PEOPLE)),
        tuple(draw(st.none() | st.just((START + 20 * DAY, START + 50 * DAY))) for _ in range(PEOPLE)),
        draw(st.booleans()),
    )


def person_id(number: int) -> UUID:
    return UUID(int=100 + number)


def person_of(world: World, number: int) -> int:
    return 1 if world.is_merged and number == 0 else number


def roles_of(deal: Made) -> list[Role]:
    return [role for role in deal.roles if not role.is_void and (role.since is None or role.since <= NOW)]


def touches_of(world: World, deal: Made) -> list[tuple[int, Touch]]:
    people = {person_of(world, role.person) for role in roles_of(deal)}
    found = [(place, touch) for place, touch in enumerate(world.touches) if not touch.is_void]
    return [(place, touch) for place, touch in found if person_of(world, touch.person) in people]


def rules_of(world: World, deal: Made, opened: datetime) -> tuple[set[VariantRule], set[VariantRule]]:
    """The rules that hold for a deal, and those that something tells of."""
    holds, told = set[VariantRule](), set[VariantRule]()
    early = sorted(
        ((touch.at, place, touch.team) for place, touch in touches_of(world, deal) if touch.at <= opened),
        key=lambda found: found[:2],
    )
    if early and early[0][2] is not None:
        told.add(VariantRule.FIRST_TOUCH)
        holds |= {VariantRule.FIRST_TOUCH} if early[0][2] == "MARKETING" else set()
    first = {team: at for at, _, team in reversed(early) if team is not None}
    if first:
        told.add(VariantRule.BEFORE_FIRST_SALES_TOUCH)
        if "MARKETING" in first and ("SALES" not in first or first["MARKETING"] < first["SALES"]):
            holds.add(VariantRule.BEFORE_FIRST_SALES_TOUCH)
    roles = sorted(
        roles_of(deal),
        key=lambda role: (not role.is_primary, role.since or datetime.min.replace(tzinfo=UTC)),
    )
    if roles and (len(roles) == 1 or _order(roles[0]) != _order(roles[1])):
        source = world.sources[person_of(world, roles[0].person)][opened >= TURN]
    elif roles:
        tied = [role for role in roles if _order(role) == _order(roles[0])]
        source = world.sources[min(person_of(world, role.person) for role in tied)][opened >= TURN]
    else:
        source = None
    if source is not None:
        told.add(VariantRule.LEAD_SOURCE)
        holds |= {VariantRule.LEAD_SOURCE} if source in MARKETING_SOURCES else set()
    return holds, told


def _order(role: Role) -> tuple[bool, datetime | None]:
    return role.is_primary, role.since


def is_influenced(world: World, deal: Made, opened: datetime) -> bool:
    def was_out(touch: Touch) -> bool:
        out = world.opted_out[touch.person]
        return out is not None and out[0] <= touch.at < out[1]

    return any(
        touch.team == "MARKETING" and opened - LOOK_BACK <= touch.at <= opened and not was_out(touch)
        for _, touch in touches_of(world, deal)
    )


@pytest.fixture(scope="module")
async def ready(module_database: Database) -> Database:
    async with module_database.write() as session:
        await adopt_accord(session, read_accord("standard"))
    return module_database


def accord_with(rule: SourcedRule, *, names_sources: bool = True) -> Accord:
    accord = read_accord("standard")
    assert accord.attribution is not None
    models = tuple(model.model_copy(update={"look_back": LOOK_BACK}) for model in accord.attribution.models)
    named = {"marketing_lead_sources": MARKETING_SOURCES if names_sources else ()}
    clause = accord.attribution.model_copy(update={"sourced": rule, "models": models, **named})
    return accord.model_copy(update={"attribution": clause})


async def write(database: Database, world: World) -> None:
    async with database.write() as session:
        tables = ("deal_contact", "touchpoint", "deal_version", "deal", "contact_version", "contact")
        await session.script(
            "; ".join(["update contact set merged_into_id = null", *(f"delete from {table}" for table in tables)])
        )
        await session.script("set local accord.history_is_given = on")
        people = [(person_id(one), person_id(1) if world.is_merged and one == 0 else None) for one in range(PEOPLE)]
        await session.copy("contact", ["id", "merged_into_id"], people[::-1])
        versions: list[tuple[object, ...]] = []
        for number in range(PEOPLE):
            out = world.opted_out[number]
            cuts = sorted({START - 99 * DAY, TURN, *(out or ())})
            for start, end in zip(cuts, [*cuts[1:], None], strict=True):
                is_out = out is not None and out[0] <= start < out[1]
                source = world.sources[number][start >= TURN]
                versions.append((person_id(number), start, end, source, is_out, False, False, False, False))
        flags = ["email_opt_out", "do_not_call", "is_test", "is_internal", "is_assumed"]
        await session.copy("contact_version", ["contact_id", "valid_from", "valid_to", "lead_source", *flags], versions)
        rows, roles = [], []
        for number, deal in enumerate(world.deals):
            key = UUID(int=500 + number)
            rows.append((key, deal.opened_at, deal.amount, "EUR" if deal.amount else None))
            for role in deal.roles:
                voided = NOW if role.is_void else None
                roles.append((person_id(role.person), key, role.since, role.is_primary, voided))
        await session.copy("deal", ["id", "opened_at", "amount", "currency"], rows)
        dated = [(UUID(int=700 + place), row[0], START - 99 * DAY, *row[1:], "OPEN") for place, row in enumerate(rows)]
        columns = ["id", "deal_id", "valid_from", "opened_at", "amount", "currency", "outcome"]
        await session.copy("deal_version", [*columns, "is_assumed"], [(*row, False) for row in dated])
        await session.copy("deal_contact", ["contact_id", "deal_id", "since", "is_primary", "voided_at"], roles)
        touches = [
            (person_id(one.person), UUID(int=900 + place), one.at, one.team, NOW if one.is_void else None)
            for place, one in enumerate(world.touches)
        ]
        await session.copy(
            "touchpoint",
            ["contact_id", "id", "occurred_at", "team_kind", "voided_at", "kind", "direction"],
            [(*touch, "FORM", "INBOUND") for touch in touches],
        )


@settings(QUICK, max_examples=examples(90))
@given(world=worlds(), rule=st.sampled_from(SourcedRule))
async def test_what_marketing_sourced_and_influenced_equals_the_count(
    ready: Database, world: World, rule: SourcedRule
) -> None:
    await write(ready, world)
    async with ready.write() as session:
        await replace_document(session, accord_with(rule))
    requests = [KpiRequest(key, PERIOD, Grain.MONTH) for key in COUNTED_IN_A_WORLD]
    async with ready.read() as session:
        sourced, influenced = await query_kpis(session, LOCAL_OPERATOR, requests, now=NOW)
        assert isinstance(sourced, KpiAnswer), sourced
        assert isinstance(influenced, KpiAnswer), influenced
        assert sourced.drill_down is not None
        page = await read_page(session, sourced.drill_down, RecordSide.CONVERTED, size=50)
    opened = [deal for deal in world.deals if deal.opened_at is not None]
    within = [
        (deal, deal.opened_at)
        for deal in opened
        if deal.opened_at is not None
        and datetime(2026, 2, 1, tzinfo=UTC) <= deal.opened_at < datetime(2026, 4, 1, tzinfo=UTC)
    ]
    if not opened or min(deal.opened_at for deal in opened if deal.opened_at) >= datetime(2026, 4, 1, tzinfo=UTC):
        return  # before all data
    known = [(deal.amount, *rules_of(world, deal, at)) for deal, at in within if deal.amount is not None]
    whole = sum((amount for amount, _, _ in known), Decimal(0))
    wanted = {one: sum((amount for amount, holds, _ in known if one in holds), Decimal(0)) for one in _RULES}
    assert {variant.rule: variant.numerator for variant in sourced.variants} == wanted
    assert [variant.rule.value for variant in sourced.variants if variant.is_canonical] == [rule.value]
    canonical = wanted[VariantRule[rule.value]]
    assert sourced.n == len(known)
    assert [sourced.numerator, sourced.denominator] == [canonical, whole]
    assert sum(record.value or Decimal(0) for record in page.records) == canonical
    assert sourced.value == (pytest.approx(canonical / whole, abs=Decimal("1e-6")) if whole else None)
    assert sum(bucket.numerator or Decimal(0) for bucket in sourced.series) == canonical
    codes = {warning.code: warning.count for warning in sourced.warnings}
    untold = sum(VariantRule[rule.value] not in told for _, _, told in known)
    assert codes.get(WarningCode.UNKNOWN_ORIGIN, 0) == untold
    assert codes.get(WarningCode.UNDATED, 0) == len(world.deals) - len(opened)
    assert influenced.n == len(within)
    assert influenced.numerator == sum(is_influenced(world, deal, at) for deal, at in within)


_RULES = (VariantRule.LEAD_SOURCE, VariantRule.FIRST_TOUCH, VariantRule.BEFORE_FIRST_SALES_TOUCH)


async def test_without_named_lead_sources_that_rule_has_no_value_and_says_why(ready: Database) -> None:
    deal = Made(START + 40 * DAY, Decimal(100), (Role(2, None, is_primary=True, is_void=False),))
    touch = Touch(START + 40 * DAY, 2, "MARKETING", is_void=False)
    await write(ready, World((touch,), (deal,), (("Webinar", "Webinar"),) * PEOPLE, (None,) * PEOPLE, is_merged=False))
    for rule, value in ((SourcedRule.FIRST_TOUCH, Decimal(1)), (SourcedRule.LEAD_SOURCE, None)):
        async with ready.write() as session:
            await replace_document(session, accord_with(rule, names_sources=False))
        async with ready.read() as session:
            [found] = await query_kpis(session, LOCAL_OPERATOR, [KpiRequest("marketing_sourced", PERIOD)], now=NOW)
        assert isinstance(found, KpiAnswer), found
        assert (found.value, found.n) == (value, 1)
        [by_source, by_touch, before_sales] = found.variants
        assert (by_source.value, by_source.denominator) == (None, None)
        assert "marketing_lead_sources" in (by_source.reason or "")
        assert [by_touch.value, before_sales.value] == [1, 1]
        assert (WarningCode.NOT_RECORDED in {warning.code for warning in found.warnings}) is (value is None)


async def test_the_currency_rule_chooses_the_rate_of_both_sums(ready: Database) -> None:
    """The sourced deal is in dollars, whose rate doubles after its opening."""
    role = Role(2, None, is_primary=True, is_void=False)
    opened = START + 40 * DAY
    deals = (Made(opened, Decimal(100), (role,)), Made(opened, Decimal(100), ()))
    touch = Touch(opened, 2, "MARKETING", is_void=False)
    await write(ready, World((touch,), deals, (("Webinar", "Webinar"),) * PEOPLE, (None,) * PEOPLE, is_merged=False))
    async with ready.write() as session:
        await replace_document(session, accord_with(SourcedRule.FIRST_TOUCH))
        sourced = UUID(int=500)
        await session.run(Sql("update deal set currency = 'USD' where id = {}", sourced))
        await session.run(Sql("update deal_version set currency = 'USD' where deal_id = {}", sourced))
        rates = [
            (new_id(), opened.date() + timedelta(days=day), Decimal(rate), "USD", "EUR")
            for day, rate in ((0, 1), (1, 2))
        ]
        await session.copy("exchange_rate", ["id", "rate_on", "rate", "currency", "quote_currency"], rates)
    sums: dict[str, tuple[Decimal | None, ...]] = {}
    async with ready.read() as session:
        for rule in CurrencyRule:
            request = KpiRequest("marketing_sourced", PERIOD, switches=Switches(currency_rule=rule))
            [found] = await query_kpis(session, LOCAL_OPERATOR, [request], now=NOW)
            assert isinstance(found, KpiAnswer), found
            sums[rule.value] = (found.numerator, found.denominator)
    assert sums == {
        "TRANSACTION_DATE": (Decimal(100), Decimal(200)),
        "PERIOD_END": (Decimal(200), Decimal(300)),
        "AS_OF": (Decimal(200), Decimal(300)),
        "UNCONVERTED": (Decimal(0), Decimal(100)),
    }


@dataclass(frozen=True)
class Example:
    """Touches of one deal, and by hand: the rules that hold for it."""

    touches: tuple[Touch, ...]
    roles: tuple[Role, ...]
    holds: set[VariantRule]


def by(team: str, person: int = 2) -> Touch:
    return Touch(START + 40 * DAY, person, team, is_void=False)


def role(person: int, *, is_primary: bool = False) -> Role:
    return Role(person, None, is_primary, is_void=False)


@pytest.mark.parametrize(
    "example",
    [
        # At one instant nobody was first: marketing was not before sales, and the first touch is that of the lower id.
        Example((by("MARKETING"), by("SALES")), (role(2),), {VariantRule.LEAD_SOURCE, VariantRule.FIRST_TOUCH}),
        Example((by("SALES"), by("MARKETING")), (role(2),), {VariantRule.LEAD_SOURCE}),
        # The lead source is that of the main contact, whoever has the lowest id.
        Example((by("SALES"),), (role(0), role(2, is_primary=True)), {VariantRule.LEAD_SOURCE}),
        Example((by("SALES"),), (role(0, is_primary=True), role(2)), set()),
    ],
    ids=["marketing and sales at once", "sales and marketing at once", "a later main contact", "another main contact"],
)
async def test_which_rules_hold_by_hand(ready: Database, example: Example) -> None:
    sources = (("Outbound", "Outbound"), (None, None), ("Webinar", "Webinar"))
    deal = Made(START + 40 * DAY, Decimal(100), example.roles)
    await write(ready, World(example.touches, (deal,), sources, (None,) * PEOPLE, is_merged=False))
    async with ready.write() as session:
        await replace_document(session, accord_with(SourcedRule.FIRST_TOUCH))
    async with ready.read() as session:
        [found] = await query_kpis(session, LOCAL_OPERATOR, [KpiRequest("marketing_sourced", PERIOD)], now=NOW)
    assert isinstance(found, KpiAnswer), found
    assert {variant.rule for variant in found.variants if variant.value == 1} == example.holds


@pytest.mark.parametrize("flag", ["email_opt_out", "do_not_call"])
async def test_a_touch_of_somebody_who_opted_out_influences_nothing(ready: Database, flag: str) -> None:
    deal = Made(START + 40 * DAY, Decimal(100), (role(2),))
    await write(ready, World((by("MARKETING"),), (deal,), ((None, None),) * PEOPLE, (None,) * PEOPLE, is_merged=False))
    async with ready.write() as session:
        await replace_document(session, accord_with(SourcedRule.FIRST_TOUCH))
    values = []
    for is_out in (False, True):
        async with ready.write() as session:
            await session.script("set local accord.history_is_given = on")
            await session.script(f"update contact_version set {flag} = {is_out}")
        async with ready.read() as session:
            [found] = await query_kpis(session, LOCAL_OPERATOR, [KpiRequest("marketing_influenced", PERIOD)], now=NOW)
        assert isinstance(found, KpiAnswer), found
        values.append(found.value)
    assert values == [1, 0]
