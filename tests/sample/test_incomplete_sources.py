"""The sample has what real sources have: a second currency, groups of companies, assumed histories, hand-set stages."""

from collections import Counter
from datetime import date
from decimal import Decimal

from tests.sample.conftest import CONTACTS, UNTIL, Company, Row
from tests.sample.test_sample_data import by, instant

LADDER = ("suspect", "inquiry", "mql", "sal", "sql", "opportunity", "customer")


async def test_buyers_in_america_pay_in_dollars_and_two_deals_in_kronor(company: Company) -> None:
    countries = {row["id"]: row["country"] for row in await company.rows("company")}
    deals = await company.rows("deal")
    currencies = Counter(row["currency"] for row in deals)
    assert set(currencies) == {"EUR", "USD", "SEK"}
    assert currencies["SEK"] == 2
    assert 0.15 < currencies["USD"] / len(deals) < 0.5
    for row in deals:
        if row["company_id"] is not None:
            assert (row["currency"] == "USD") == (countries[row["company_id"]] in ("US", "CA"))
            assert row["currency"] != "SEK" or countries[row["company_id"]] == "SE"


async def test_costs_are_in_euros(company: Company) -> None:
    for table in ("campaign_cost", "campaign", "product", "company"):
        assert {row["currency"] for row in await company.rows(table)} == {"EUR"}


async def test_there_is_a_rate_of_every_month_and_none_of_kronor(company: Company) -> None:
    rates = await company.rows("exchange_rate", "rate_on")
    assert {(row["currency"], row["quote_currency"]) for row in rates} == {("USD", "EUR")}
    months = [(2024 + (2 + place) // 12, (2 + place) % 12 + 1) for place in range(24)]
    assert [row["rate_on"] for row in rates] == [date(year, month, 1) for year, month in months]
    assert date(*months[-1], 1) < UNTIL
    assert all(Decimal("0.8") < row["rate"] < 1 for row in rates)  # type: ignore[operator]
    assert len({row["rate"] for row in rates}) > 12


async def test_some_companies_belong_to_another_and_none_to_itself(company: Company) -> None:
    parents = {row["id"]: row["parent_id"] for row in await company.rows("company")}
    belonging = [each for each, parent in parents.items() if parent is not None]
    assert 0.03 < len(belonging) / len(parents) < 0.1
    assert max(Counter(parents[each] for each in belonging).values()) > 1
    for each in belonging:
        seen = {each}
        above = parents[each]
        while above is not None:
            assert above not in seen
            seen.add(above)
            above = parents[above]


async def test_a_few_histories_are_assumed_and_have_one_version(company: Company) -> None:
    versions = by(await company.rows("contact_version"), "contact_id")
    people = await company.rows("contact")
    assumed = [row for row in people if row["is_assumed"]]
    assert 0.03 * CONTACTS < len(assumed) < 0.07 * CONTACTS
    for row in people:
        own = versions[row["id"]]
        assert {each["is_assumed"] for each in own} == {row["is_assumed"]}
        assert not row["is_assumed"] or (len(own) == 1 and own[0]["valid_from"] == row["created_at"])


async def test_stages_set_by_hand_mostly_agree_with_the_accord(company: Company) -> None:
    reported = by([row for row in await company.rows("reported_stage", "entered_at") if row["stage"]], "contact_id")
    standing: dict[object, Row] = {}
    for row in await company.rows("stage_entry", "rank"):
        if row["exited_at"] is None:
            standing[row["contact_id"]] = row
    agreeing = [own[-1]["stage"] == standing.get(person, {}).get("stage") for person, own in reported.items()]
    assert len(agreeing) > 0.05 * CONTACTS
    assert 0.6 < sum(agreeing) / len(agreeing) < 0.95, sum(agreeing) / len(agreeing)


async def test_reports_follow_the_person_and_name_stages_of_the_accord(company: Company) -> None:
    born = {row["id"]: instant(row["created_at"]) for row in await company.rows("contact")}
    rows = await company.rows("reported_stage")
    assert {row["stage"] for row in rows} == {None, *LADDER[3:]}
    assert all(born[row["contact_id"]] < instant(row["entered_at"]) <= instant(row["recorded_at"]) for row in rows)
