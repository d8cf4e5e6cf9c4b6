"""The sample has what real sources have: several currencies, subsidiaries, assumed histories, stages set by hand."""

from collections import Counter
from datetime import date
from decimal import Decimal

from api.sample.person_history import CRM
from schema.clauses.rules import ReportFilter
from tests.sample.conftest import CONTACTS, STAGES, UNTIL, Row, Sample
from tests.sample.test_sample_data import group_by, instant


async def test_american_deals_are_in_dollars_and_two_swedish_ones_in_kronor(sample: Sample) -> None:
    countries = {row["id"]: row["country"] for row in await sample.rows("company")}
    deals = await sample.rows("deal")
    currencies = Counter(row["currency"] for row in deals)
    assert set(currencies) == {"EUR", "USD", "SEK"}
    assert currencies["SEK"] == 2
    assert 0.15 < currencies["USD"] / len(deals) < 0.5
    for row in deals:
        if row["company_id"] is not None:
            assert (row["currency"] == "USD") == (countries[row["company_id"]] in ("US", "CA"))
            assert row["currency"] != "SEK" or countries[row["company_id"]] == "SE"


async def test_costs_are_in_euros(sample: Sample) -> None:
    for table in ("campaign_cost", "campaign", "product", "company"):
        assert {row["currency"] for row in await sample.rows(table)} == {"EUR"}


async def test_every_month_has_a_dollar_rate_and_kronor_have_none(sample: Sample) -> None:
    rates = await sample.rows("exchange_rate", "rate_on")
    assert {(row["currency"], row["quote_currency"]) for row in rates} == {("USD", "EUR")}
    months = [(2024 + (2 + number) // 12, (2 + number) % 12 + 1) for number in range(24)]
    assert [row["rate_on"] for row in rates] == [date(year, month, 1) for year, month in months]
    assert date(*months[-1], 1) < UNTIL
    assert all(Decimal("0.8") < row["rate"] < 1 for row in rates)  # type: ignore[operator]
    assert len({row["rate"] for row in rates}) > 12


async def test_some_companies_are_subsidiaries_without_cycles(sample: Sample) -> None:
    parents = {row["id"]: row["parent_id"] for row in await sample.rows("company")}
    subsidiaries = [company for company, parent in parents.items() if parent is not None]
    assert 0.03 < len(subsidiaries) / len(parents) < 0.1
    assert max(Counter(parents[company] for company in subsidiaries).values()) > 1
    for company in subsidiaries:
        seen = {company}
        parent = parents[company]
        while parent is not None:
            assert parent not in seen
            seen.add(parent)
            parent = parents[parent]


async def test_assumed_histories_have_one_version(sample: Sample) -> None:
    versions = group_by(await sample.rows("contact_version"), "contact_id")
    people = await sample.rows("contact")
    assumed = [row for row in people if row["is_assumed"]]
    assert 0.03 * CONTACTS < len(assumed) < 0.07 * CONTACTS
    for row in people:
        own = versions[row["id"]]
        assert {version["is_assumed"] for version in own} == {row["is_assumed"]}
        assert not row["is_assumed"] or (len(own) == 1 and own[0]["valid_from"] == row["created_at"])
    # The source's word for it is from the last change on, which most of these people had after they arrived.
    recorded = [(versions[row["id"]][0]["recorded_at"], row["created_at"]) for row in assumed]
    assert all(instant(at) >= instant(created) for at, created in recorded)
    assert sum(at != created for at, created in recorded) > 0.2 * len(recorded)


async def test_most_reported_stages_agree_with_the_accord(sample: Sample) -> None:
    reported = group_by(
        [row for row in await sample.rows("reported_stage", "entered_at") if row["stage"]], "contact_id"
    )
    current: dict[object, Row] = {}
    for row in await sample.rows("stage_entry", "rank"):
        if row["exited_at"] is None:
            current[row["contact_id"]] = row
    agreeing = [own[-1]["stage"] == current.get(person, {}).get("stage") for person, own in reported.items()]
    assert len(agreeing) > 0.05 * CONTACTS
    assert 0.6 < sum(agreeing) / len(agreeing) < 0.95, sum(agreeing) / len(agreeing)


async def test_reported_stages_follow_the_contact_and_exist_in_the_accord(sample: Sample) -> None:
    created = {row["id"]: instant(row["created_at"]) for row in await sample.rows("contact")}
    rows = await sample.rows("reported_stage")
    assert {row["source"] for row in rows} == {CRM}
    assert ReportFilter(source=CRM, stage=("SQL",)).source == CRM
    assert {row["stage"] for row in rows} == {None, *STAGES[3:]}
    assert all(created[row["contact_id"]] < instant(row["entered_at"]) <= instant(row["recorded_at"]) for row in rows)
