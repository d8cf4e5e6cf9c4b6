"""`accord kpi` and `accord funnel`: tables for people, JSON and CSV for programs, a message for invalid options."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from tests.golden.world import AFTER_ALL, CONTACTS, contact_id, load

AS_OF = datetime(2026, 10, 31, tzinfo=UTC)  # of the answers
RATE = ("kpi", "stage_conversion", "--from", "mql", "--to", "sql", "--period", "2026-Q1", "--skip", "exclude")


@pytest.fixture(scope="module")
async def dsn(module_dsn: str, module_database: Database) -> str:
    async with module_database.write() as session:
        await load(session)
        # One person is over the contact policy.
        touched = ["contact_id", "id", "occurred_at", "kind", "direction"]
        calls = [(CONTACTS[0], AS_OF - timedelta(hours=hours)) for hours in range(1, 8)]
        calls += [(name, AS_OF - timedelta(hours=1)) for name in CONTACTS[1:3]]
        rows = [(contact_id(name), UUID(int=place), at, "CALL", "OUTBOUND") for place, (name, at) in enumerate(calls)]
        await session.copy("touchpoint", touched, rows)
        await evaluate(session, as_of=AFTER_ALL)
    return module_dsn


@pytest.fixture(autouse=True)
def _world(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", dsn)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--as-of", "2026-10-31T00:00:00Z"])


def printed(*words: str) -> str:
    result = run(*words)
    assert result.exit_code == 0, result.exception
    return result.output


def test_without_a_key_the_kpis_are_listed() -> None:
    shown = CliRunner().invoke(app, ["kpi"]).output
    assert "time_to_convert" in shown
    words = " ".join(shown.split())
    assert "switches anchor: COHORT; reentry: FIRST; skip: IMPLIED; window: The accord's window between" in words
    assert "formula: Deals won in the period, divided by deals won or lost in the period." in words
    assert "reads outbound touches, the contact policy; accord contact_policy, reporting" in words


def test_a_reading_is_named_and_said() -> None:
    shown = printed(*RATE, "--reading", "pinned", "--accord-version", "1")
    assert ", reading=PINNED, accordVersion=1." in " ".join(shown.split())
    assert "50.00 % (3 of 6)" in shown
    before = json.loads(printed("kpi", "mqls", "--known-at", "2020-01-01T00:00:00Z", "--json"))
    assert before["value"] is None
    assert before["overrides"][-1] == "knownAt=2020-01-01T00:00:00Z"
    shown = printed("funnel", "--reading", "restated")
    assert "reading=RESTATED" in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--reading", "pinned"), "--reading pinned names no version. Name one with --accord-version."),
        (("--known-at", "2026-01-01T00:00:00"), "--known-at: '2026-01-01T00:00:00' has no time zone"),
        (("--reading", "pinned", "--accord-version", "0"), "no version 0 of the accord"),
        (("--records", "--first", "-1"), "--first does not accept -1. Write a whole number of at least 0."),
        (("--reading", "pinned", "--accord-version", "7"), "no version 7 of the accord"),
        (("--accord-version", "1"), "--accord-version needs --reading pinned"),
        (("--known-at", "2999-01-01T00:00:00Z"), "--known-at: '2999-01-01T00:00:00Z' lies in the future"),
    ],
)
def test_an_option_that_means_nothing_is_refused_by_its_name(words: tuple[str, ...], message: str) -> None:
    result = run("kpi", "mqls", *words)
    assert isinstance(result.exception, AccordError)
    assert message in f"{result.exception.message} {result.exception.remedy}"


def test_a_rate_is_shown_with_its_parts_its_overrides_and_its_warnings() -> None:
    shown = printed(*RATE, "--window", "30 days", "--by", "channel")
    assert "50.00 % (3 of 6)" in shown
    assert "Website" in shown
    assert "Not as agreed: skip=EXCLUDE, window=30 days, asOf=2026-10-31T00:00:00Z." in shown
    assert "provisional" in shown
    assert "The value is computed from 6 rows only" in shown


def test_the_window_can_be_none() -> None:
    assert "66.67 % (4 of 6)" in printed(*RATE, "--window", "none")


def test_durations_are_shown_in_days() -> None:
    shown = printed("kpi", "time_to_convert", "--from", "mql", "--to", "sql", "--window", "none")
    assert "18 days in the middle" in shown
    assert "Not as agreed: window=none, asOf=" in shown


def test_a_distribution_names_what_it_counts() -> None:
    touches = printed("kpi", "touches_per_contact_7d", "--period", "2026-01-01..2026-01-22")
    assert re.search(r"at most \d+; \d+ people\)", touches), touches
    assert re.search(r"; \d+ entries\)", printed("kpi", "time_in_stage"))


def test_a_monthly_series_has_a_line_for_every_month() -> None:
    shown = printed("kpi", "mqls", "--grain", "month", "--period", "2026-01-01..2026-04-01")
    lines = [line.split()[:2] for line in shown.splitlines() if line.strip().startswith("2026-")]
    assert lines == [["2026-01", "3"], ["2026-02", "2"], ["2026-03", "2"]]


def test_a_long_run_of_empty_buckets_at_the_end_is_one_line() -> None:
    shown = printed("kpi", "mqls", "--grain", "month")
    lines = [line.split() for line in shown.splitlines() if line.strip().startswith("202")]
    assert [line[0] for line in lines] == ["2025-12", "2026-01", "2026-02", "2026-03", "2026-04"]
    assert "7 empty buckets" in shown


def test_the_funnel_is_shown_as_bars() -> None:
    lines = printed("funnel", "--period", "2026-Q1").splitlines()
    first = next(line for line in lines if "Inquiry" in line)
    last = next(line for line in lines if line.strip().startswith("Customer"))
    assert first.count("█") > last.count("█") > 0


def test_json_has_the_fields_of_the_graphql_result() -> None:
    found = json.loads(printed(*RATE, "--json", "--grain", "quarter"))
    assert (found["key"], found["numerator"], found["denominator"]) == ("stage_conversion", "3", "6")
    assert next(iter(found)) == "key"
    assert found["series"][0]["from"] == "2026-01-01T00:00:00Z"
    assert found["accords"][0]["isSigned"] is False
    assert found["overrides"] == ["skip=EXCLUDE", "asOf=2026-10-31T00:00:00Z"]


def test_csv_has_a_line_for_every_figure() -> None:
    rows = list(csv.DictReader(io.StringIO(printed("kpi", "mqls", "--by", "channel", "--grain", "year", "--csv"))))
    assert [(row["row"], row["key"], row["from"], row["value"]) for row in rows] == [
        ("GROUP", "WEBSITE", "", "8"),
        ("GROUP_BUCKET", "WEBSITE", "2025-01-01T00:00:00Z", "1"),
        ("GROUP_BUCKET", "WEBSITE", "2026-01-01T00:00:00Z", "7"),
        ("BUCKET", "", "2025-01-01T00:00:00Z", "1"),
        ("BUCKET", "", "2026-01-01T00:00:00Z", "7"),
        ("TOTAL", "", "", "8"),
    ]


def test_the_csv_of_the_funnel_has_the_stages_of_every_group_and_of_the_whole_last() -> None:
    steps = list(csv.DictReader(io.StringIO(printed("funnel", "--csv"))))
    assert [row["reached"] for row in steps] == ["8", "8", "7", "6", "4", "2"]
    grouped = list(csv.DictReader(io.StringIO(printed("funnel", "--by", "channel,country", "--csv"))))
    assert {(row["dimension"], row["dimension_2"]) for row in grouped} == {("", ""), ("CHANNEL", "COUNTRY")}
    first = [row for row in grouped if row["stage"] == steps[0]["stage"]]
    assert [row["row"] for row in grouped][-len(steps) :] == ["TOTAL"] * len(steps)
    assert {row["row"] for row in steps} == {"TOTAL"}
    assert sum(int(row["reached"]) for row in first if row["row"] == "GROUP") == int(first[-1]["reached"]) == 8


def test_a_filter_matches_values_the_empty_value_or_all_other_values() -> None:
    found = [
        json.loads(printed("kpi", "mqls", "--where", text, "--json"))["n"]
        for text in ("channel=website,email", "channel=", "channel!=website")
    ]
    assert found == [8, 0, 0]


@pytest.mark.parametrize(
    ("words", "override"),
    [
        ((*RATE, "--censoring", "mature-only"), "censoring=MATURE_ONLY"),
        ((*RATE, "--exclusions", "test"), "exclusions=TEST"),
        ((*RATE, "--exclusions", "none"), "exclusions=NONE"),
        ((*RATE, "--where", "channel=website", "--filter-scope", "both"), "filterScope=BOTH"),
        (("kpi", "revenue_won", "--currency-rule", "period-end"), "currencyRule=PERIOD_END"),
        (("kpi", "sales_cycle", "--cycle-start", "first-touch"), "cycleStart=FIRST_TOUCH"),
        (("kpi", "sales_cycle", "--cycle-start", "sql"), "cycleStart=SQL"),
        (("funnel", "--exclusions", "none"), "exclusions=NONE"),
    ],
)
def test_a_switch_is_an_option(words: tuple[str, ...], override: str) -> None:
    found = json.loads(printed(*words, "--json"))
    assert override in found["overrides"]
    assert found["isCanonical"] is False


def test_a_filter_may_be_that_of_graphql() -> None:
    found = [
        json.loads(printed("kpi", "mqls", "--where", text, "--json"))["n"]
        for text in (
            '{"contact": {"touchpoints": {"some": {}}}}',
            '{"not": {"contact": {"touchpoints": {"some": {}}}}}',
            '{"contact": {"country": {"eq": "DE"}}}',
        )
    ]
    assert found[0] + found[1] == 8
    assert "as they are today" in printed("kpi", "mqls", "--where", '{"contact": {}}')


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("kpi", "mqls", "--by", "colour"), ErrorCode.BAD_INPUT, "lead-source"),
        (("kpi", "mqls", "--period", "2026-04-01..2026-01-01"), ErrorCode.BAD_PERIOD, "ends before it starts"),
        (("kpi", "mqls", "--period", "soon..later"), ErrorCode.BAD_PERIOD, "not a date"),
        (("kpi", "mqls", "--where", "channel"), ErrorCode.BAD_INPUT, "channel=EMAIL"),
        ((*RATE, "--censoring", "some"), ErrorCode.BAD_INPUT, "decided-only"),
        ((*RATE, "--exclusions", "robots"), ErrorCode.BAD_INPUT, "internal"),
        ((*RATE, "--filter-scope", "both"), ErrorCode.BAD_INPUT, "where"),
        (("kpi", "revenue_won", "--currency-rule", "today"), ErrorCode.BAD_INPUT, "as-of"),
        (("kpi", "mqls", "--where", "{channel"), ErrorCode.BAD_INPUT, "not JSON"),
        (("kpi", "mqls", "--where", '{"deal": {}}'), ErrorCode.BAD_INPUT, "dealRoles"),
        (("kpi", "stage_conversion", "--from", "mql"), ErrorCode.BAD_INPUT, "--to STAGE"),
        (("kpi", "stage_conversion", "--from", "mql", "--to", "mars"), ErrorCode.UNKNOWN_STAGE, "opportunity"),
        ((*RATE, "--window", "soon"), ErrorCode.BAD_INPUT, "30 days"),
        ((*RATE, "--window", "P30D"), ErrorCode.BAD_INPUT, "30 days"),
        ((*RATE, "--window", "0 days"), ErrorCode.BAD_INPUT, "up to 36525 days"),
        (("kpi", "mqls", "--json", "--csv"), ErrorCode.BAD_INPUT, "one of them"),
        (("kpi", "mqls", "--by", "channel,owner,team,country"), ErrorCode.BAD_INPUT, "Use 3 of them"),
        (("kpi", "mqls", "--by", "channel,channel"), ErrorCode.BAD_INPUT, "once"),
        (("kpi", "mqls", "--by", "reject-reason"), ErrorCode.BAD_INPUT, "It has"),
        (("kpi", "mqls", "--top", "3"), ErrorCode.BAD_INPUT, "leave `top` out"),
        (("kpi", "mqls", "--by", "channel", "--top", "0"), ErrorCode.BAD_INPUT, "from 1 to"),
        (("funnel", "--by", "channel", "--top", "0"), ErrorCode.BAD_INPUT, "from 1 to"),
        (("funnel", "--top", "3"), ErrorCode.BAD_INPUT, "leave `top` out"),
        (("kpi", "mqls", "--grain", "hour"), ErrorCode.BAD_INPUT, "day"),
        (("kpi", "mqls", "--period", "2026-04-01..2026-04-01"), ErrorCode.BAD_PERIOD, ""),
        (("kpi", "mqls", "--period", "0001-01-01..9999-12-31"), ErrorCode.BAD_PERIOD, ""),
        (
            ("kpi", "mqls", "--grain", "day", "--period", "1000-01-01..2027-01-01"),
            ErrorCode.BAD_PERIOD,
            "coarser grain",
        ),
        (("kpi", "doubled_mqls"), ErrorCode.BAD_INPUT, "mqls"),
        (("kpi", "mqls", "--records", "--side", "converted"), ErrorCode.BAD_INPUT, "BASE"),
        (("kpi", "mqls", "--side", "base"), ErrorCode.BAD_INPUT, "--records"),
        (("kpi", "mqls", "--fields", "email"), ErrorCode.BAD_INPUT, "--records"),
        (("kpi", "mqls", "--records", "--fields", "email,"), ErrorCode.BAD_INPUT, "empty field"),
        (("kpi", "mqls", "--records", "--fields", "emial"), ErrorCode.BAD_INPUT, "Did you mean email?"),
        (("kpi", "deals_won", "--records", "--fields", "amount"), ErrorCode.BAD_INPUT, "amount.amount"),
        (("kpi", "profit"), ErrorCode.BAD_INPUT, "mqls"),
    ],
)
def test_an_invalid_option_is_an_error_with_a_remedy(words: tuple[str, ...], code: ErrorCode, text: str) -> None:
    error = run(*words).exception
    assert isinstance(error, AccordError)
    assert error.code is code
    assert text in str(error)


def test_two_dimensions_are_two_columns() -> None:
    shown = printed("kpi", "stage_volume", "--by", "channel,stage").splitlines()
    heading = next(line for line in shown if "channel" in line)
    assert heading.split()[:2] == ["channel", "stage"]
    labelled = [line for line in shown if "Website" in line]
    assert len(labelled) == 1  # the value is shown once, above the other lines of its block
    rows = list(csv.DictReader(io.StringIO(printed("kpi", "stage_volume", "--by", "channel,stage", "--csv"))))
    assert [(row["key"], row["key_2"], row["value"]) for row in rows][:2] == [
        ("WEBSITE", "inquiry", "8"),
        ("WEBSITE", "mql", "8"),
    ]
    assert [row["row"] for row in rows] == ["GROUP"] * (len(rows) - 1) + ["TOTAL"]
    assert sum(int(row["value"]) for row in rows if row["row"] == "GROUP") == int(rows[-1]["value"])


def test_the_records_that_a_number_counts_are_listed_with_name_and_instant() -> None:
    found = json.loads(printed(*RATE, "--window", "30 days", "--records", "--side", "converted", "--json"))
    assert (found["side"], found["totalCount"]) == ("CONVERTED", 3)
    assert found["records"][0]["id"].startswith("contact_")
    instants = [record["at"] for record in found["records"]]
    assert instants == sorted(instants)
    rows = list(csv.DictReader(io.StringIO(printed(*RATE, "--records", "--csv"))))
    assert len(rows) == 6
    shown = printed(*RATE, "--records", "--first", "2")
    assert "4 more of 6: --first 6 lists all." in shown
    assert "contact_" in shown


def test_records_have_the_requested_fields_instead_of_their_name() -> None:
    words = (*RATE, "--records", "--fields", "email, leadSource,owner.name,stage.title,isCounted")
    listed = json.loads(printed(*words, "--json"))["records"]
    assert len(listed) == 6
    assert [list(record) for record in listed] == [["id", "at", "value", "node"]] * 6
    assert list(listed[0]["node"]) == ["email", "leadSource", "owner", "stage", "isCounted"]
    rows = list(csv.DictReader(io.StringIO(printed(*words, "--csv"))))
    assert list(rows[0]) == ["at", "id", "value", "email", "leadSource", "owner.name", "stage.title", "isCounted"]
    for row, record in zip(rows, listed, strict=True):
        node = record["node"]
        assert (row["at"], row["id"]) == (record["at"], record["id"])
        assert row["email"] == (node["email"] or "")
        assert row["owner.name"] == ((node["owner"] or {}).get("name") or "")
        assert (row["stage.title"], row["isCounted"]) == ((node["stage"] or {}).get("title") or "", "true")
    assert any(row["stage.title"] for row in rows)
    assert "stage.title" in printed(*words)
    ids = list(csv.DictReader(io.StringIO(printed(*RATE, "--records", "--fields", "id", "--csv"))))
    assert [list(row) for row in ids] == [["at", "value", "id"]] * 6
    assert [row["id"] for row in ids] == [record["id"] for record in listed]


def test_records_have_the_value_that_they_give_to_the_number() -> None:
    words = ("kpi", "time_to_convert", "--from", "mql", "--to", "sql", "--window", "none", "--records")
    rows = list(csv.DictReader(io.StringIO(printed(*words, "--csv"))))
    listed = json.loads(printed(*words, "--json"))["records"]
    assert sorted(Decimal(row["value"]) for row in rows) == [days * 86_400 for days in (10, 12, 18, 23, 73)]
    assert [record["value"] for record in listed] == [row["value"] for row in rows]
    assert "73 days" in printed(*words)
    counted = list(csv.DictReader(io.StringIO(printed(*RATE, "--records", "--csv"))))
    assert {row["value"] for row in counted} == {"1"}
    assert re.search(r"^ ?at +name +id *$", printed(*RATE, "--records"), re.MULTILINE)


def test_the_people_over_the_contact_policy_are_listed_with_what_put_them_over_it() -> None:
    words = ("kpi", "over_pressure_rate", "--records")
    found = json.loads(printed(*words, "--json"))["records"]
    pressed = [record["contactPressure"] for record in found if record["contactPressure"] is not None]
    assert len(found) > len(pressed) > 0
    assert all(pressure["touches"] > pressure["atMost"] for pressure in pressed)
    rows = list(csv.DictReader(io.StringIO(printed(*words, "--csv"))))
    assert list(rows[0])[4:] == ["touches", "at_most", "within", "first_touch_at", "last_touch_at"]
    shown = [list(pressure.values()) for pressure in pressed]
    assert [list(row.values())[4:] for row in rows if row["touches"]] == [list(map(str, values)) for values in shown]
    table = printed(*words)
    assert "touches   first touch        last touch" in table
    assert "the contact policy, which allows 5 in 7 days." in table
    assert "touches" not in json.dumps(json.loads(printed(*RATE, "--records", "--json")))


def test_the_list_of_kpis_says_what_each_dimension_means() -> None:
    shown = " ".join(printed("kpi").split())
    assert "current_owner: Who is responsible for the contact or the deal. Moment: today, for an earlier" in shown
    assert "Of a person: the campaign of the person's first inbound touchpoint. Moment: the first inbound" in shown
    assert "Of a deal: the deal's primary campaign. Moment: the counted instant." in shown


def test_a_misspelt_value_is_rejected_and_an_unknown_text_is_warned_of() -> None:
    for filter_ in ("channel=webiste", "owner=Nobody", "country=Germny"):
        result = run("kpi", "mqls", "--where", filter_)
        assert isinstance(result.exception, AccordError), filter_
        assert result.exception.code is ErrorCode.UNKNOWN_VALUE
        assert filter_ != "channel=webiste" or "Did you mean WEBSITE?" in result.exception.remedy
    assert "ever had the lead source 'wbe'" in printed("kpi", "mqls", "--where", "lead-source=wbe")
    # Nobody has an owner. What the dimension of the filter means comes in addition.
    unowned = printed("kpi", "mqls", "--where", "owner=")
    assert unowned.splitlines()[0] == printed("kpi", "mqls").splitlines()[0]
    assert "owner: Who was responsible for the contact or the deal. Moment:" in unowned
    assert printed("kpi", "mqls", "--where", "channel=website") == printed("kpi", "mqls", "--where", "channel=WEBSITE")


def test_a_series_by_fiscal_quarter_names_its_quarters() -> None:
    shown = printed("kpi", "mqls", "--grain", "fiscal-quarter", "--period", "FY2026")
    names = [line.split()[0] for line in shown.splitlines() if line.startswith("FY")]
    assert names == [f"FY2026-Q{quarter}" for quarter in range(1, 5)]


def test_a_bucket_that_is_cut_or_may_still_grow_says_so() -> None:
    request = ("kpi", "mqls", "--grain", "month", "--period", "2026-01-15..2026-11-01")
    rows = [row for row in csv.DictReader(io.StringIO(printed(*request, "--csv"))) if row["from"]]
    said = [(row["from"][:7], row["is_partial"], row["is_open"]) for row in rows]
    assert said[0] == ("2026-01", "true", "false")
    assert set(said[1:-1]) == {(f"2026-{month:02}", "false", "false") for month in range(2, 10)}
    assert said[-1] == ("2026-10", "false", "true")  # the answers are as of 2026-10-31
    series = json.loads(printed(*request, "--json"))["series"]
    assert [(bucket["isPartial"], bucket["isOpen"]) for bucket in (series[0], series[1], series[-1])] == [
        (True, False),
        (False, False),
        (False, True),
    ]
    assert "2026-01-15 (partial)" in printed(*request)
    whole = next(csv.DictReader(io.StringIO(printed("kpi", "mqls", "--csv"))))
    assert (whole["is_partial"], whole["is_open"]) == ("", "")


def test_the_days_of_the_period_are_shown() -> None:
    assert "period 2026-10-01 to 2026-12-31 UTC" in printed("kpi", "mqls", "--period", "this-quarter")
    assert "period 2026-10-30 UTC" in printed("kpi", "mqls", "--period", "yesterday")
    assert "period all history UTC" in printed("funnel")
    assert "period to 2026-06-30 UTC" in printed("funnel", "--period", "..2026-07-01")
    assert "period from 2026-01-01 UTC" in printed("funnel", "--period", "2026-01-01..")


def test_json_and_csv_have_the_days_of_the_period() -> None:
    for words in (("kpi", "mqls", "--by", "channel"), ("funnel",)):
        found = json.loads(printed(*words, "--period", "last-quarter", "--json"))["period"]
        assert found == {"from": "2026-07-01", "before": "2026-10-01", "timezone": "UTC", "isOver": True}
        rows = list(csv.DictReader(io.StringIO(printed(*words, "--period", "last-quarter", "--csv"))))
        days = {(row["period_from"], row["period_before"], row["timezone"]) for row in rows}
        assert days == {("2026-07-01", "2026-10-01", "UTC")}


def test_a_period_that_has_not_begun_or_is_not_over_says_so() -> None:
    future = printed("kpi", "open_pipeline", "--period", "2027-Q2")
    assert ": -" in future.splitlines()[0]
    assert "The period begins on 2027-04-01, after the day of `asOf`, 2026-10-31." in future
    assert "The period is not over" in printed("funnel", "--period", "this-year")


def test_the_highest_groups_are_shown_before_all_others_together() -> None:
    found = json.loads(printed("kpi", "stage_volume", "--by", "stage", "--top", "1", "--json"))
    whole = json.loads(printed("kpi", "stage_volume", "--by", "stage", "--json"))
    assert [group["keys"][0]["isOther"] for group in found["breakdown"]] == [False, True]
    assert sum(group["n"] for group in found["breakdown"]) == found["n"] == whole["n"]
    assert found["breakdown"][0]["n"] == max(group["n"] for group in whole["breakdown"])
    assert "Other" in printed("kpi", "stage_volume", "--by", "stage", "--top", "1")
