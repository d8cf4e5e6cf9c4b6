"""A value that is in no closed set is rejected with the nearest; a free text that no record ever had is warned of."""

from datetime import UTC, datetime

import pytest

from api.access.principal import LOCAL_OPERATOR, Principal
from api.accord.documents import read_accord
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from api.metrics.answer import KpiAnswer
from api.metrics.funnels.funnel_answer import FunnelAnswer
from api.metrics.query import query_funnel, query_kpis
from api.metrics.request import FunnelRequest, KpiRequest, Where
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.access.rights import Reach
from schema.kpis import CATALOGUE
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimension_vocab import Dimension
from tests.support.graphql import put, uid

AT = datetime(2026, 3, 1, tzinfo=UTC)
ANNA, BEN, TEAM, SPRING, MAIN, OPENED, CAR = uid(1), uid(2), uid(3), uid(4), uid(5), uid(6), uid(7)


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    """Two contacts and two won deals; one of the contacts has changed its lead source from `fair` to `web`."""
    async with module_database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        await put(session, "team", {"id": TEAM, "name": "Inbound", "kind": "SALES"})
        await put(session, "member", {"id": ANNA, "name": "Anna Berg", "team_id": TEAM}, {"id": BEN, "name": "Ben"})
        await put(session, "campaign", {"id": SPRING, "name": "Spring fair", "channel": "EMAIL"})
        await put(session, "pipeline", {"id": MAIN, "name": "New business"})
        await put(
            session,
            "pipeline_stage",
            {"id": OPENED, "name": "Won", "pipeline_id": MAIN, "rank": 1, "category": "WON"},
        )
        await put(session, "product", {"id": CAR, "name": "Car"})
        old = {"effective_at": AT}
        await put(
            session,
            "company",
            {"id": uid(11), "name": "Acme", "country": "DE", "industry": "Steel", **old},
            {"id": uid(12), "name": "Bolt", "country": "Deutschland (West)", **old},
        )
        await put(
            session,
            "contact",
            {"id": uid(21), "lead_source": "fair", "country": "DE", "owner_id": ANNA, **old},
            {"id": uid(22), "lead_source": "mail", "country": "FR", "owner_id": BEN, **old},
        )
        await put(
            session,
            "touchpoint",
            *(
                {
                    "id": uid(30 + number),
                    "contact_id": uid(20 + number),
                    "occurred_at": AT,
                    "channel": "EMAIL",
                    "kind": "FORM",
                    "direction": "INBOUND",
                    "campaign_id": SPRING,
                }
                for number in (1, 2)
            ),
        )
        won = {"outcome": "WON", "closed_at": AT, "pipeline_stage_id": OPENED, "primary_campaign_id": SPRING, **old}
        await put(
            session,
            "deal",
            {"id": uid(41), "owner_id": ANNA, "company_id": uid(11), "product_id": CAR, **won},
            {"id": uid(42), "owner_id": BEN, "company_id": uid(12), **won},
        )
    async with module_database.write() as session:
        later = datetime(2026, 4, 1, tzinfo=UTC)
        await session.run(
            Sql("update contact set lead_source = 'web', effective_at = {} where id = {}", later, uid(21))
        )
        await evaluate(session)
    return module_database


def where(dimension: Dimension, *values: str | None) -> Where:
    return Where(tests=((dimension, values),))


async def ask(
    database: Database, key: str, tested: Where, principal: Principal = LOCAL_OPERATOR
) -> KpiAnswer | AccordError:
    async with database.read() as session:
        [found] = await query_kpis(session, principal, [KpiRequest(key, where=tested)])
    return found


async def ask_funnel(database: Database, tested: Where) -> FunnelAnswer:
    async with database.read() as session:
        return await query_funnel(session, LOCAL_OPERATOR, FunnelRequest(where=tested))


UNKNOWN = [
    ("deals_won", Dimension.CHANNEL, "EMIAL", "There is no channel 'EMIAL'.", "Did you mean EMAIL?"),
    ("deals_won", Dimension.CAMPAIGN, "Sprng fair", "There is no campaign 'Sprng fair'.", "Did you mean Spring fair?"),
    ("deals_won", Dimension.OWNER, "Ana Berg", "There is no member 'Ana Berg'.", "Did you mean Anna Berg?"),
    ("deals_won", Dimension.OWNER, f"member_{uid(99)}", "There is no member with the id", "or filter by its name"),
    ("deals_won", Dimension.OWNER, str(uid(99)), "There is no member with the id", "or filter by its name"),
    ("deals_won", Dimension.TEAM, "Outbound", "There is no team 'Outbound'.", "Inbound"),
    ("deals_won", Dimension.PIPELINE, "New busines", "There is no pipeline", "Did you mean New business?"),
    ("deals_won", Dimension.PIPELINE_STAGE, "Opne", "There is no pipeline stage 'Opne'.", "Won"),
    ("deals_won", Dimension.PRODUCT, "Cat", "There is no product 'Cat'.", "Did you mean Car?"),
    ("deals_won", Dimension.COUNTRY, "Germny", "There is no country 'Germny'.", "Did you mean Germany"),
    ("stage_volume", Dimension.STAGE, "mqll", "There is no stage 'mqll'.", "Did you mean mql"),
    ("stage_volume", Dimension.COUNTRY, "Xyzzy", "There is no country 'Xyzzy'.", "The countries are"),
    ("rejection_rate", Dimension.REJECT_REASON, "NO_FITT", "There is no reject reason 'NO_FITT'.", "NO_FIT"),
]


@pytest.mark.parametrize(("key", "dimension", "value", "message", "remedy"), UNKNOWN)
async def test_a_value_that_is_in_no_closed_set_is_rejected_with_the_nearest(
    world: Database, key: str, dimension: Dimension, value: str, message: str, remedy: str
) -> None:
    for tested in (
        where(dimension, value),
        Where(none_of=(where(dimension, value),)),
        Where(any_of=(where(dimension, None), Where(all_of=(where(dimension, None, value),)))),
    ):
        found = await ask(world, key, tested)
        assert isinstance(found, AccordError), found
        assert found.code is ErrorCode.UNKNOWN_VALUE
        assert message in found.message
        assert remedy in found.remedy


@pytest.mark.parametrize("dimension", [Dimension.CHANNEL, Dimension.OWNER, Dimension.COUNTRY])
async def test_the_funnel_rejects_the_same_values(world: Database, dimension: Dimension) -> None:
    with pytest.raises(AccordError) as rejected:
        await ask_funnel(world, where(dimension, "nobody"))
    assert rejected.value.code is ErrorCode.UNKNOWN_VALUE


@pytest.mark.parametrize(
    ("dimension", "value", "expected"),
    [
        (Dimension.CHANNEL, "email", 2),
        (Dimension.CAMPAIGN, "Spring fair", 2),
        (Dimension.OWNER, "Anna Berg", 1),
        (Dimension.OWNER, f"member_{ANNA}", 1),
        (Dimension.OWNER, str(ANNA), 1),
        (Dimension.OWNER, None, 0),
        (Dimension.TEAM, None, 1),
        (Dimension.PRODUCT, "Car", 1),
        (Dimension.COUNTRY, "Germany", 1),
        (Dimension.COUNTRY, "allemagne", 1),
        (Dimension.COUNTRY, "de", 1),
        (Dimension.COUNTRY, "Deutschland (West)", 1),
        (Dimension.COUNTRY, "Iceland", 0),
        (Dimension.INDUSTRY, "Steel", 1),
    ],
)
async def test_a_known_value_is_counted_without_a_word(
    world: Database, dimension: Dimension, value: str | None, expected: int
) -> None:
    found = await ask(world, "deals_won", where(dimension, value))
    assert isinstance(found, KpiAnswer), found
    assert found.value == expected
    assert WarningCode.UNKNOWN_VALUE not in {warning.code for warning in found.warnings}


async def test_stages_are_understood_in_any_case(world: Database) -> None:
    both = [await ask(world, "stage_volume", where(Dimension.STAGE, value)) for value in ("suspect", "Suspect")]
    assert [found.value for found in both if isinstance(found, KpiAnswer)] == [2, 2]


@pytest.mark.parametrize(
    ("dimension", "value", "is_known"),
    [
        (Dimension.LEAD_SOURCE, "web", True),
        (Dimension.LEAD_SOURCE, "fair", True),  # the contact has another one today
        (Dimension.LEAD_SOURCE, "wbe", False),
        (Dimension.INDUSTRY, "Steel", True),
        (Dimension.INDUSTRY, "Stele", False),
    ],
)
async def test_a_free_text_that_no_record_ever_had_gives_a_warning(
    world: Database, dimension: Dimension, value: str, is_known: bool
) -> None:
    answers = [
        await ask(world, "stage_volume", where(dimension, value)),
        await ask_funnel(world, where(dimension, value)),
    ]
    for found in answers:
        assert not isinstance(found, AccordError)
        warned = [warning.message for warning in found.warnings if warning.code is WarningCode.UNKNOWN_VALUE]
        assert bool(warned) is not is_known
        assert all(f"'{value}'" in message for message in warned)


@pytest.mark.parametrize(
    ("dimension", "value", "near"),
    [
        (Dimension.LEAD_SOURCE, "Web", "Did you mean 'web'?"),
        (Dimension.LEAD_SOURCE, "FAIR", "Did you mean 'fair'?"),  # the contact has another one today
        (Dimension.INDUSTRY, "steel", "Did you mean 'Steel'?"),
        (Dimension.COMPANY, "ACME", "Did you mean 'Acme'?"),
        (Dimension.COMPANY, "Xyzzy", "Check how it is spelt."),
    ],
)
async def test_the_warning_of_a_free_text_names_those_that_are_spelled_like_it(
    world: Database, dimension: Dimension, value: str, near: str
) -> None:
    found = await ask(world, "deals_won" if dimension is Dimension.COMPANY else "stage_volume", where(dimension, value))
    assert isinstance(found, KpiAnswer), found
    [message] = [warning.message for warning in found.warnings if warning.code is WarningCode.UNKNOWN_VALUE]
    assert f"'{value}'" in message
    assert message.endswith(near)


async def test_the_reason_for_no_value_speaks_of_the_filter(world: Database) -> None:
    def reasons(found: KpiAnswer | AccordError) -> list[str]:
        assert isinstance(found, KpiAnswer), found
        return [warning.message for warning in found.warnings if warning.code is WarningCode.ZERO_DENOMINATOR]

    # Deals were closed, but none of those that the filter keeps.
    empty = await ask(world, "win_rate", Where(none_of=(where(Dimension.OWNER, "Ben", "Anna Berg"),)))
    assert reasons(empty) == [
        "Of what the filter keeps: no deal was closed in the period, so there is nothing to divide by."
    ]
    assert reasons(await ask(world, "win_rate", where(Dimension.OWNER, "Anna Berg"))) == []
    unfiltered = await ask(world, "rejection_rate", Where())
    assert reasons(unfiltered) == ["No handoff was decided in the period, so there is nothing to divide by."]


async def test_a_restricted_principal_learns_nothing_of_texts_beyond_its_reach(world: Database) -> None:
    ben = Principal(reach=Reach.OWN, member_id=BEN)
    for value, is_known in (("mail", True), ("web", False)):
        found = await ask(world, "stage_volume", where(Dimension.LEAD_SOURCE, value), ben)
        assert isinstance(found, KpiAnswer)
        assert (WarningCode.UNKNOWN_VALUE in {warning.code for warning in found.warnings}) is not is_known
    misspelt = await ask(world, "stage_volume", where(Dimension.LEAD_SOURCE, "Web"), ben)
    assert isinstance(misspelt, KpiAnswer)
    assert all("'web'" not in warning.message for warning in misspelt.warnings)


@pytest.mark.parametrize("key", sorted(CATALOGUE))
async def test_every_dimension_of_every_kpi_answers_a_misspelt_value(world: Database, key: str) -> None:
    for dimension in CATALOGUE[key].dimensions:
        request = where(dimension, "xyzzy xyzzy")
        found = await ask(world, key, request)
        if isinstance(found, KpiAnswer):
            assert WarningCode.UNKNOWN_VALUE in {warning.code for warning in found.warnings}, dimension
        elif key not in ("stage_conversion", "time_to_convert"):  # these need a pair of stages
            assert found.code is ErrorCode.UNKNOWN_VALUE, dimension


@pytest.mark.parametrize("dimension", [Dimension.COUNTRY, Dimension.LEAD_SOURCE, Dimension.OWNER, Dimension.COMPANY])
@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
async def test_a_text_that_cannot_be_stored_is_refused(world: Database, dimension: Dimension, value: str) -> None:
    found = await ask(world, "deals_won" if dimension is Dimension.COMPANY else "stage_volume", where(dimension, value))
    assert isinstance(found, AccordError)
    assert found.code is ErrorCode.BAD_INPUT


async def test_a_long_text_is_not_repeated_in_the_warning(world: Database) -> None:
    found = await ask(world, "stage_volume", where(Dimension.LEAD_SOURCE, "x" * 1_000))
    assert isinstance(found, KpiAnswer)
    assert max(len(warning.message) for warning in found.warnings) < 300
