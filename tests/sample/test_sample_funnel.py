"""The stage entries of the sample agree with counts over its facts, and every stage has enough people."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import pairwise

from tests.sample.conftest import CONTACTS, STAGES, Sample


async def people_by_stage(sample: Sample) -> dict[str, set[object]]:
    people: dict[str, set[object]] = defaultdict(set)
    for row in await sample.rows("stage_entry"):
        people[str(row["stage"])].add(row["contact_id"])
    return people


async def test_every_stage_is_reached_and_counts_never_rise(sample: Sample) -> None:
    people = await people_by_stage(sample)
    counts = [len(people[stage]) for stage in STAGES]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == CONTACTS
    for low, high in pairwise(counts):
        assert 0.15 * low < high < 0.95 * low, counts


async def test_entries_include_skipped_repeated_and_open_ones(sample: Sample) -> None:
    entries = await sample.rows("stage_entry")
    implied = Counter(row["stage"] for row in entries if row["is_implied"])
    assert min(implied[stage] for stage in ("mql", "sal", "sql")) >= 10
    assert Counter(row["stage"] for row in entries if row["occurrence"] == 2)["mql"] >= 10
    still_open = Counter(row["stage"] for row in entries if row["exited_at"] is None)
    assert all(still_open[stage] >= 5 for stage in STAGES)
    assert {row["exit_kind"] for row in entries} == {None, "ADVANCED", "HANDOFF_REJECTED", "DEAL_LOST"}


async def test_customers_are_those_with_a_role_on_a_won_deal(sample: Sample) -> None:
    won = {row["id"] for row in await sample.rows("deal") if row["outcome"] == "WON"}
    buyers = {row["contact_id"] for row in await sample.rows("deal_contact") if row["deal_id"] in won}
    assert buyers == (await people_by_stage(sample))["customer"]


async def test_accepted_leads_are_those_with_an_accepted_handoff(sample: Sample) -> None:
    accepted = {row["contact_id"] for row in await sample.rows("handoff") if row["status"] == "ACCEPTED"}
    own = {
        row["contact_id"]
        for row in await sample.rows("stage_entry")
        if row["stage"] == "sal" and row["own_at"] is not None
    }
    assert own == accepted


async def test_mqls_have_two_inbound_touchpoints_within_thirty_days(sample: Sample) -> None:
    inbound: dict[object, list[datetime]] = defaultdict(list)
    for row in await sample.rows("touchpoint", "occurred_at"):
        if row["direction"] == "INBOUND":
            assert isinstance(row["occurred_at"], datetime)
            inbound[row["contact_id"]].append(row["occurred_at"])
    twice = {
        person
        for person, at in inbound.items()
        if any(late - early < timedelta(days=30) for early, late in pairwise(at))
    }
    entries = await sample.rows("stage_entry")
    own = {row["contact_id"] for row in entries if row["stage"] == "mql" and row["own_at"] is not None}
    assert own <= twice
    assert len(own) > 0.9 * len(twice)  # the others have no email address, or opted out


async def test_trade_fairs_convert_better_than_paid_social(sample: Sample) -> None:
    sources = {row["id"]: row["lead_source"] for row in await sample.rows("contact")}
    people = await people_by_stage(sample)
    all_people, buyers = Counter(sources.values()), Counter(sources[person] for person in people["opportunity"])
    assert None in all_people
    rates = {source: buyers[source] / count for source, count in all_people.items()}
    assert rates["Trade fair"] > 2 * rates["Paid social"]
    assert rates["Customer referral"] > rates["Paid search"]


async def test_most_mqls_are_handed_over(sample: Sample) -> None:
    handed = {row["contact_id"] for row in await sample.rows("handoff")}
    qualified = (await people_by_stage(sample))["mql"]
    assert 0.7 < len(handed & qualified) / len(qualified) < 1
