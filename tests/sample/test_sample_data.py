"""What the sample company promises, counted row by row."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from api.accord.documents import read_accord
from schema.history import kept_columns
from schema.tables import TABLES
from tests.sample.conftest import CONTACTS, UNTIL, Company, Row

END = datetime(UNTIL.year, UNTIL.month, UNTIL.day, tzinfo=UTC)
START = END.replace(year=END.year - 2)


def by(rows: list[Row], column: str) -> dict[object, list[Row]]:
    found: dict[object, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[column]].append(row)
    return found


def instant(value: object) -> datetime:
    assert isinstance(value, datetime)
    return value


async def test_there_are_as_many_people_as_asked_for(company: Company) -> None:
    assert len(await company.rows("contact")) == CONTACTS == company.made.rows["contact"]


async def test_both_teams_touch_people_in_both_directions_over_many_channels(company: Company) -> None:
    touches = await company.rows("touchpoint")
    sides = Counter((row["team_kind"], row["direction"]) for row in touches)
    assert set(sides) == {(team, way) for team in ("MARKETING", "SALES") for way in ("INBOUND", "OUTBOUND")}
    assert min(sides.values()) > 100
    assert len({row["channel"] for row in touches}) >= 12
    assert 8 * CONTACTS < len(touches) < 13 * CONTACTS


@pytest.mark.parametrize("table", ["contact", "company", "deal"])
async def test_versions_follow_each_other_without_gap_and_end_in_the_record(company: Company, table: str) -> None:
    kept = kept_columns(next(each for each in TABLES if each.__tablename__ == table))
    versions = by(await company.rows(f"{table}_version", "id"), f"{table}_id")
    records = await company.rows(table)
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


async def test_nothing_happens_to_a_person_before_the_person_is_known_or_after_the_story(company: Company) -> None:
    born = {row["id"]: instant(row["created_at"]) for row in await company.rows("contact")}
    employer = {row["id"]: row["company_id"] for row in await company.rows("contact")}
    founded = {row["id"]: instant(row["created_at"]) for row in await company.rows("company")}
    for row in await company.rows("touchpoint"):
        assert born[row["contact_id"]] <= instant(row["occurred_at"]) <= instant(row["recorded_at"]) <= END
    for row in await company.rows("handoff"):
        assert born[row["contact_id"]] < instant(row["handed_at"]) < END
        assert row["decided_at"] is None or instant(row["decided_at"]) < END
    for person, since in born.items():
        assert START <= since < END
        assert employer[person] is None or founded[employer[person]] <= since


async def test_campaigns_run_when_they_touch(company: Company) -> None:
    campaigns = {row["id"]: row for row in await company.rows("campaign")}
    first: dict[object, Row] = {}
    for row in await company.rows("touchpoint", "occurred_at"):
        first.setdefault(row["contact_id"], row)
    touched = [row for row in first.values() if row["campaign_id"] is not None]
    assert len(touched) > CONTACTS * 0.7
    for row in touched:
        campaign, day = campaigns[row["campaign_id"]], instant(row["occurred_at"]).date()
        assert campaign["starts_on"] <= day <= (campaign["ends_on"] or day)  # type: ignore[operator]
    assert {row["channel"] for row in campaigns.values()} >= {"EVENT", "PAID_SOCIAL", "PAID_SEARCH", "EMAIL", "PARTNER"}


async def test_every_campaign_costs_something_in_every_month_it_ran(company: Company) -> None:
    costs = by(await company.rows("campaign_cost"), "campaign_id")
    for campaign in await company.rows("campaign"):
        starts, ends = campaign["starts_on"], campaign["ends_on"] or UNTIL
        assert isinstance(starts, date)
        assert isinstance(ends, date)
        ends = min(ends, UNTIL - timedelta(days=1))
        months = (ends.year - starts.year) * 12 + ends.month - starts.month + 1
        assert len(costs[campaign["id"]]) == months
        assert all(row["cost"] > 0 for row in costs[campaign["id"]])  # type: ignore[operator]


async def test_handoffs_have_every_status_and_every_reason_that_rejects(company: Company) -> None:
    handoffs = await company.rows("handoff")
    assert {row["status"] for row in handoffs} == {"PROPOSED", "ACCEPTED", "REJECTED", "RETURNED"}
    reasons = {each.code for each in read_accord("standard").reject_reasons if each.disposition != "RETURN_FOR_DATA"}
    assert {row["reject_reason"] for row in handoffs if row["status"] == "REJECTED"} == reasons


async def test_closed_deals_were_open_before_and_change_on_the_way(company: Company) -> None:
    versions = by(await company.rows("deal_version", "id"), "deal_id")
    deals = await company.rows("deal")
    assert min(Counter(row["outcome"] for row in deals).values()) > 10
    assert any(len({each["amount"] for each in own}) > 1 for own in versions.values())
    for deal in deals:
        own = versions[deal["id"]]
        assert own[0]["valid_from"] == deal["opened_at"]
        assert [row["outcome"] for row in own] == ["OPEN"] * (len(own) - (deal["outcome"] != "OPEN")) + (
            [] if deal["outcome"] == "OPEN" else [deal["outcome"]]
        )
        assert deal["closed_at"] is None or own[-1]["valid_from"] == deal["closed_at"]


async def test_people_have_roles_in_deals_one_of_them_the_main_one(company: Company) -> None:
    roles = by(await company.rows("deal_contact"), "deal_id")
    assert all(sum(bool(row["is_primary"]) for row in own) == 1 for own in roles.values())
    assert len(roles) == len(await company.rows("deal"))
    assert any(len(own) > 1 for own in roles.values())


async def test_some_people_are_called_nine_times_in_a_week(company: Company) -> None:
    calls = by(
        [r for r in await company.rows("touchpoint") if (r["kind"], r["direction"]) == ("CALL", "OUTBOUND")],
        "contact_id",
    )
    pressed = 0
    for own in calls.values():
        at = sorted(instant(row["occurred_at"]) for row in own)
        pressed += any(late - early <= timedelta(days=7) for early, late in zip(at, at[8:], strict=False))
    assert 10 < pressed < CONTACTS / 20


async def test_people_change_over_time(company: Company) -> None:
    seen: Counter[str] = Counter()
    for own in by(await company.rows("contact_version", "id"), "contact_id").values():
        for column in ("job_title", "lead_score", "email_opt_out", "owner_id", "phone", "do_not_call"):
            seen[column] += len({row[column] for row in own}) > 1
    assert min(seen.values()) >= 10, seen
    changed: Counter[str] = Counter()
    for own in by(await company.rows("company_version", "id"), "company_id").values():
        for column in ("name", "industry", "employees", "owner_id"):
            changed[column] += len({row[column] for row in own}) > 1
    assert min(changed.values()) >= 1, changed


async def test_a_few_records_are_tests_or_our_own_people(company: Company) -> None:
    people = await company.rows("contact")
    assert sum(bool(row["is_test"]) for row in people) == CONTACTS // 250
    assert 5 <= sum(bool(row["is_internal"]) for row in people) <= CONTACTS // 150


async def test_nobody_real_can_be_reached(company: Company) -> None:
    people = await company.rows("contact") + await company.rows("member")
    assert all(row["email"] is None or str(row["email"]).endswith(".example") for row in people)
    assert all(str(row["domain"]).endswith(".example") for row in await company.rows("company"))


async def test_mailboxes_are_of_every_kind(company: Company) -> None:
    assert {row["email_kind"] for row in await company.rows("contact")} == {"BUSINESS", "FREE", "ROLE", None}


async def test_people_come_in_season(company: Company) -> None:
    months = Counter(instant(row["created_at"]).month for row in await company.rows("contact"))
    assert months[8] < months[9]
    assert months[12] < months[11]
