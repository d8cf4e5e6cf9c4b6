"""The sample's funnel is a healthy one, and its entries agree with counts made without the evaluator."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import pairwise

from tests.sample.conftest import CONTACTS, Company

STAGES = ("suspect", "inquiry", "mql", "sal", "sql", "opportunity", "customer")


async def people_of(company: Company) -> dict[str, set[object]]:
    found: dict[str, set[object]] = defaultdict(set)
    for row in await company.rows("stage_entry"):
        found[str(row["stage"])].add(row["contact_id"])
    return found


async def test_every_stage_is_reached_and_bars_never_grow(company: Company) -> None:
    people = await people_of(company)
    counts = [len(people[stage]) for stage in STAGES]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == CONTACTS
    for low, high in pairwise(counts):
        assert 0.15 * low < high < 0.95 * low, counts


async def test_some_skip_stages_some_come_again_and_some_are_under_way(company: Company) -> None:
    entries = await company.rows("stage_entry")
    implied = Counter(row["stage"] for row in entries if row["is_implied"])
    assert min(implied[stage] for stage in ("mql", "sal", "sql")) >= 10
    assert Counter(row["stage"] for row in entries if row["occurrence"] == 2)["mql"] >= 10
    under_way = Counter(row["stage"] for row in entries if row["exited_at"] is None)
    assert all(under_way[stage] >= 5 for stage in STAGES)
    assert {row["exit_kind"] for row in entries} == {None, "ADVANCED", "HANDOFF_REJECTED", "DEAL_LOST"}


async def test_customers_are_those_with_a_role_on_a_won_deal(company: Company) -> None:
    won = {row["id"] for row in await company.rows("deal") if row["outcome"] == "WON"}
    named = {row["contact_id"] for row in await company.rows("deal_contact") if row["deal_id"] in won}
    assert named == (await people_of(company))["customer"]


async def test_accepted_leads_are_those_with_an_accepted_handoff(company: Company) -> None:
    accepted = {row["contact_id"] for row in await company.rows("handoff") if row["status"] == "ACCEPTED"}
    own = {
        row["contact_id"]
        for row in await company.rows("stage_entry")
        if row["stage"] == "sal" and row["own_at"] is not None
    }
    assert own == accepted


async def test_most_of_the_qualified_came_twice_within_thirty_days(company: Company) -> None:
    came: dict[object, list[datetime]] = defaultdict(list)
    for row in await company.rows("touchpoint", "occurred_at"):
        if row["direction"] == "INBOUND":
            assert isinstance(row["occurred_at"], datetime)
            came[row["contact_id"]].append(row["occurred_at"])
    twice = {
        person for person, at in came.items() if any(late - early < timedelta(days=30) for early, late in pairwise(at))
    }
    entries = await company.rows("stage_entry")
    own = {row["contact_id"] for row in entries if row["stage"] == "mql" and row["own_at"] is not None}
    assert own <= twice
    assert len(own) > 0.9 * len(twice)  # the others cannot be reached, or want no mail


async def test_fairs_convert_better_than_social_advertisements(company: Company) -> None:
    sources = {row["id"]: row["lead_source"] for row in await company.rows("contact")}
    people = await people_of(company)
    came, bought = Counter(sources.values()), Counter(sources[each] for each in people["opportunity"])
    assert None in came
    rates = {source: bought[source] / count for source, count in came.items()}
    assert rates["Trade fair"] > 2 * rates["Paid social"]
    assert rates["Customer referral"] > rates["Paid search"]


async def test_most_of_the_qualified_are_handed_over(company: Company) -> None:
    handed = {row["contact_id"] for row in await company.rows("handoff")}
    qualified = (await people_of(company))["mql"]
    assert 0.7 < len(handed & qualified) / len(qualified) < 1
