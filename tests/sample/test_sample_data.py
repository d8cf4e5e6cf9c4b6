"""The properties of the sample, counted row by row."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from api.accord.documents import read_accord
from schema.history import kept_columns
from schema.tables import TABLES
from tests.sample.conftest import CONTACTS, UNTIL, Row, Sample

END = datetime(UNTIL.year, UNTIL.month, UNTIL.day, tzinfo=UTC)
START = END.replace(year=END.year - 2)


def group_by(rows: list[Row], column: str) -> dict[object, list[Row]]:
    groups: dict[object, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return groups


def instant(value: object) -> datetime:
    assert isinstance(value, datetime)
    return value


async def test_there_are_as_many_contacts_as_requested(sample: Sample) -> None:
    assert len(await sample.rows("contact")) == CONTACTS == sample.made.rows["contact"]


async def test_both_teams_have_touchpoints_in_both_directions_over_many_channels(sample: Sample) -> None:
    touchpoints = await sample.rows("touchpoint")
    sides = Counter((row["team_kind"], row["direction"]) for row in touchpoints)
    assert set(sides) == {(team, direction) for team in ("MARKETING", "SALES") for direction in ("INBOUND", "OUTBOUND")}
    assert min(sides.values()) > 100
    assert len({row["channel"] for row in touchpoints}) >= 12
    assert 8 * CONTACTS < len(touchpoints) < 13 * CONTACTS


@pytest.mark.parametrize("table", ["contact", "company", "deal"])
async def test_versions_have_no_gaps_and_the_last_one_equals_the_record(sample: Sample, table: str) -> None:
    kept = kept_columns(next(model for model in TABLES if model.__tablename__ == table))
    versions = group_by(await sample.rows(f"{table}_version", "id"), f"{table}_id")
    records = await sample.rows(table)
    assert len(versions) == len(records)
    for record in records:
        own = versions[record["id"]]
        assert own[0]["valid_from"] == record["created_at"]
        for one, following in pairwise(own):
            assert one["valid_to"] == following["valid_from"]
            assert instant(one["valid_from"]) < instant(one["valid_to"])
            assert {key: one[key] for key in kept} != {key: following[key] for key in kept}
        assert own[-1]["valid_to"] is None
        assert {key: own[-1][key] for key in kept} == {key: record[key] for key in kept}
        assert (record["row_version"], record["effective_at"]) == (len(own), own[-1]["valid_from"])


async def test_no_event_precedes_its_contact_or_follows_the_end_of_the_sample(sample: Sample) -> None:
    created = {row["id"]: instant(row["created_at"]) for row in await sample.rows("contact")}
    employer = {row["id"]: row["company_id"] for row in await sample.rows("contact")}
    founded = {row["id"]: instant(row["created_at"]) for row in await sample.rows("company")}
    for row in await sample.rows("touchpoint"):
        assert created[row["contact_id"]] <= instant(row["occurred_at"]) <= instant(row["recorded_at"]) <= END
    for row in await sample.rows("handoff"):
        assert created[row["contact_id"]] < instant(row["handed_at"]) < END
        assert row["decided_at"] is None or instant(row["decided_at"]) < END
    for person, since in created.items():
        assert START <= since < END
        assert employer[person] is None or founded[employer[person]] <= since


async def test_first_touchpoints_lie_within_their_campaign(sample: Sample) -> None:
    campaigns = {row["id"]: row for row in await sample.rows("campaign")}
    first: dict[object, Row] = {}
    for row in await sample.rows("touchpoint", "occurred_at"):
        first.setdefault(row["contact_id"], row)
    with_campaign = [row for row in first.values() if row["campaign_id"] is not None]
    assert len(with_campaign) > CONTACTS * 0.7
    for row in with_campaign:
        campaign, day = campaigns[row["campaign_id"]], instant(row["occurred_at"]).date()
        assert campaign["starts_on"] <= day <= (campaign["ends_on"] or day)  # type: ignore[operator]
    assert {row["channel"] for row in campaigns.values()} >= {"EVENT", "PAID_SOCIAL", "PAID_SEARCH", "EMAIL", "PARTNER"}


async def test_every_campaign_has_a_cost_for_every_month(sample: Sample) -> None:
    costs = group_by(await sample.rows("campaign_cost"), "campaign_id")
    for campaign in await sample.rows("campaign"):
        starts, ends = campaign["starts_on"], campaign["ends_on"] or UNTIL
        assert isinstance(starts, date)
        assert isinstance(ends, date)
        ends = min(ends, UNTIL - timedelta(days=1))
        months = (ends.year - starts.year) * 12 + ends.month - starts.month + 1
        assert len(costs[campaign["id"]]) == months
        assert all(row["cost"] > 0 for row in costs[campaign["id"]])  # type: ignore[operator]
        ranges = sorted((row["from_on"], row["before_on"]) for row in costs[campaign["id"]])
        assert ranges[0][0] == starts.replace(day=1)
        assert all(before == start for (_, before), (start, _) in pairwise(ranges))
        assert all(start.day == before.day == 1 for start, before in ranges)  # type: ignore[attr-defined]


async def test_handoffs_have_every_status_and_every_reject_reason(sample: Sample) -> None:
    handoffs = await sample.rows("handoff")
    assert {row["status"] for row in handoffs} == {"PROPOSED", "ACCEPTED", "REJECTED", "RETURNED"}
    reasons = {
        reason.code for reason in read_accord("standard").reject_reasons if reason.disposition != "RETURN_FOR_DATA"
    }
    assert {row["reject_reason"] for row in handoffs if row["status"] == "REJECTED"} == reasons


async def test_closed_deals_were_open_first_and_amounts_change(sample: Sample) -> None:
    versions = group_by(await sample.rows("deal_version", "id"), "deal_id")
    deals = await sample.rows("deal")
    assert min(Counter(row["outcome"] for row in deals).values()) > 10
    assert any(len({version["amount"] for version in own}) > 1 for own in versions.values())
    for deal in deals:
        own = versions[deal["id"]]
        assert own[0]["valid_from"] == deal["opened_at"]
        assert [row["outcome"] for row in own] == ["OPEN"] * (len(own) - (deal["outcome"] != "OPEN")) + (
            [] if deal["outcome"] == "OPEN" else [deal["outcome"]]
        )
        assert deal["closed_at"] is None or own[-1]["valid_from"] == deal["closed_at"]


async def test_every_deal_has_one_primary_contact(sample: Sample) -> None:
    roles = group_by(await sample.rows("deal_contact"), "deal_id")
    assert all(sum(bool(row["is_primary"]) for row in own) == 1 for own in roles.values())
    assert len(roles) == len(await sample.rows("deal"))
    assert any(len(own) > 1 for own in roles.values())


async def test_some_contacts_receive_nine_calls_in_a_week(sample: Sample) -> None:
    calls = group_by(
        [row for row in await sample.rows("touchpoint") if (row["kind"], row["direction"]) == ("CALL", "OUTBOUND")],
        "contact_id",
    )
    called_too_often = 0
    for own in calls.values():
        at = sorted(instant(row["occurred_at"]) for row in own)
        called_too_often += any(late - early <= timedelta(days=7) for early, late in zip(at, at[8:], strict=False))
    assert 10 < called_too_often < CONTACTS / 20


async def test_contacts_and_companies_change_over_time(sample: Sample) -> None:
    seen: Counter[str] = Counter()
    for own in group_by(await sample.rows("contact_version", "id"), "contact_id").values():
        for column in ("job_title", "lead_score", "email_opt_out", "owner_id", "phone", "do_not_call"):
            seen[column] += len({row[column] for row in own}) > 1
    assert min(seen.values()) >= 10, seen
    changed: Counter[str] = Counter()
    for own in group_by(await sample.rows("company_version", "id"), "company_id").values():
        for column in ("name", "industry", "employees", "owner_id"):
            changed[column] += len({row[column] for row in own}) > 1
    assert min(changed.values()) >= 1, changed


async def test_some_contacts_are_test_records_or_internal(sample: Sample) -> None:
    people = await sample.rows("contact")
    assert sum(bool(row["is_test"]) for row in people) == CONTACTS // 250
    assert 5 <= sum(bool(row["is_internal"]) for row in people) <= CONTACTS // 150


async def test_all_addresses_are_in_reserved_domains(sample: Sample) -> None:
    people = await sample.rows("contact") + await sample.rows("member")
    assert all(row["email"] is None or str(row["email"]).endswith(".example") for row in people)
    assert all(str(row["domain"]).endswith(".example") for row in await sample.rows("company"))


async def test_email_addresses_have_every_kind(sample: Sample) -> None:
    assert {row["email_kind"] for row in await sample.rows("contact")} == {"BUSINESS", "FREE", "ROLE", None}


async def test_arrivals_follow_the_season(sample: Sample) -> None:
    months = Counter(instant(row["created_at"]).month for row in await sample.rows("contact"))
    assert months[8] < months[9]
    assert months[12] < months[11]
