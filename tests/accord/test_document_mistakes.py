"""The mistakes of a document: each with its path and a sentence, and all of them at once."""

import json
import random
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.accord.documents import InvalidAccordError, document_mistakes, parse_accord
from schema.vocab import Currency

DOCUMENT = """
title = "With every section"

[reporting]
currency = "EUR"

[contact_policy]
at_most = 5
within = "7 days"
quiet_hours = { from = "20:00", until = "08:00" }
channel_caps = [{ channel = "PHONE", at_most = 2, within = "1 day" }]

[[calendars]]
key = "office"
title = "Office hours"
timezone = "Europe/Berlin"
hours = [{ days = ["MONDAY", "TUESDAY"], opens = "09:00", closes = "17:00" }]
holidays = { country = "DE", subdivision = "BE" }
closed = [{ on = 2026-12-24, name = "Christmas Eve" }]

[[stages]]
key = "known"
title = "Known"
group = "All"
owner = "SALES"
meaning = "Exists."
rule = { all = [] }

[[stages]]
key = "lead"
title = "Lead"
group = "All"
owner = "SALES"
meaning = "Asked."
needs = ["contact.email"]
window = "14 days"

[stages.rule]
all = [{ stage = "known", within = "90 days" }, { any = [{ touches = { kind = "FORM", within = "30 days" } }] }]

[[exits]]
on = "DEAL_LOST"
closes_from = "known"
closes_to = "lead"

[[reject_reasons]]
code = "NO_FIT"
label = "No fit"
disposition = "DISQUALIFY"
fault = "MARKETING"

[handoff.marketing]
volume = [{ stage = "lead", at_least = 40, per = "MONTH", count = "HANDED_OVER" }]
completeness = [{ stage = "lead", at_least = 0.9 }]
hand_over = [{ stage = "lead", within = "1 day" }]

[handoff.sales]
decide_within = { time = "8 hours", calendar = "office" }
first_touch_within = "2 days"
attempts = { at_least = 5, within = "14 days" }

[attribution]
canonical = "position"
lead_stage = "lead"
sourced = "FIRST_TOUCH"
models = [
  { key = "position", title = "Position", weights = { first_touch = 0.4, last_touch = 0.4, rest = 0.2 } },
  { key = "decay", title = "Decay", method = "TIME_DECAY", half_life = "7 days" },
]

[economics]
gross_margin = 0.7
monthly_churn = 0.02
sales_costs = [{ from = "2027-01", per_month = 40000 }, { from = "2027-07", per_month = 52000 }]

[[targets]]
kpi = "deals_won"
period = "2027-Q1"
value = 300

[[targets]]
kpi = "win_rate"
period = "2027-Q1"
value = 0.25
"""
SECOND_CALENDAR = """
[[calendars]]
key = "office"
title = "Again"
hours = [{ days = ["SUNDAY"], opens = "09:00", closes = "17:00" }]
"""
# The change to the document, the path of the mistake, and what its sentence begins with.
MISTAKES = [
    ('title = "With', 'titel = "With', "titel", "There is no such key. Did you mean title?"),
    (
        'window = "14 days"',
        'windows = "14 days"',
        "stages[1] (lead).windows",
        "There is no such key. Did you mean window?",
    ),
    (
        'within = "30 days" }',
        'with = "30 days" }',
        "stages[1] (lead).rule.all[1].any[0].touches.with",
        "There is no such key. Did you mean within?",
    ),
    (
        '{ stage = "known", within = "90 days" }',
        '{ stage = "known", until = "90 days" }',
        "stages[1] (lead).rule.all[0].until",
        "There is no such key. The keys are stage, within.",
    ),
    (
        '{ touches = { kind = "FORM", within = "30 days" } }',
        '{ touches = { kind = "FORM" }, handoff = "ACCEPTED" }',
        "stages[1] (lead).rule.all[1].any[0].handoff",
        "A rule has one key; join several with all.",
    ),
    (
        '{ stage = "known", within = "90 days" }',
        '{ touches = { handoff = "ACCEPTED" } }',
        "stages[1] (lead).rule.all[0].touches.handoff",
        "There is no such key. The keys are channel, ",
    ),
    (
        '{ stage = "known",',
        '{ stage = "lead",',
        "stages[1] (lead).rule.all[0].stage",
        "'lead' is not a stage below this one; lower stages: known.",
    ),
    (
        'window = "14 days"',
        'window = "0 days"',
        "stages[1] (lead).window",
        "A duration must be a whole number of seconds, more than 0",
    ),
    (
        'needs = ["contact.email"]',
        'needs = ["contact.mail"]',
        "stages[1] (lead).needs",
        "'contact.mail' is not a field that rules can read",
    ),
    ('needs = ["contact.email"]', "", "handoff.marketing.completeness[0].stage", "The stage lead states no needs"),
    ('code = "NO_FIT"', 'code = "no fit"', "reject_reasons[0] (no fit).code", "'no fit' must match"),
    ('closes_to = "lead"', 'closes_to = "leed"', "exits[0].closes_to", "'leed' is not a stage. Did you mean lead?"),
    ('until = "08:00"', 'until = "20:00"', "contact_policy.quiet_hours", "They begin and end at 20:00"),
    (
        'until = "08:00"',
        'until = "8 am"',
        "contact_policy.quiet_hours.until",
        "'8 am' is not a time of day; write hours and minutes",
    ),
    (
        'until = "08:00"',
        'until = "08:00", timezone = "Berlin"',
        "contact_policy.quiet_hours.timezone",
        "'Berlin' is not an IANA time zone",
    ),
    (
        "channel_caps = [",
        'channel_caps = [{ channel = "PHONE", at_most = 1, within = "1 day" }, ',
        "contact_policy.channel_caps",
        "PHONE has two limits for the same time",
    ),
    ('closes = "17:00"', 'closes = "09:00"', "calendars[0] (office).hours[0]", "It opens at 09:00 and closes at 09:00"),
    (
        "hours = [{",
        'hours = [{ days = ["MONDAY"], opens = "08:00", closes = "09:01" }, {',
        "calendars[0] (office)",
        "The opening hours of Monday overlap",
    ),
    (
        '["MONDAY", "TUESDAY"]',
        '["MONDAY", "MONDAY"]',
        "calendars[0] (office).hours[0].days",
        "A day of the week appears more than once",
    ),
    (
        '["MONDAY", "TUESDAY"]',
        '["MONDAY", "CASUAL FRIDAY"]',
        "calendars[0] (office).hours[0].days[1]",
        "'CASUAL FRIDAY' is not one of MONDAY, TUESDAY",
    ),
    (
        "on = 2026-12-24",
        'on = "24.12.2026"',
        "calendars[0] (office).closed[0].on",
        "'24.12.2026' is not a date; write one such as 2026-12-24",
    ),
    (
        'name = "Christmas Eve" }',
        'name = "Eve" }, { on = 2026-12-24, name = "Eve" }',
        "calendars[0] (office)",
        "The closed day 2026-12-24 appears more than once",
    ),
    ('country = "DE"', 'country = "Germany"', "calendars[0] (office).holidays.country", "'Germany' must match"),
    (
        'country = "DE", subdivision = "BE"',
        'country = "QQ"',
        "calendars[0] (office).holidays.country",
        "The holidays of 'QQ' are not known",
    ),
    (
        'subdivision = "BE"',
        'subdivision = "Berlin"',
        "calendars[0] (office).holidays.subdivision",
        "'Berlin' is not a part of DE with holidays of its own. ",
    ),
    (
        'subdivision = "BE"',
        "years = [{ year = 2027, days = [] }, { year = 2026, days = [] }]",
        "calendars[0] (office).holidays.years",
        "The years are not in order",
    ),
    (
        'subdivision = "BE"',
        'years = [{ year = 2027, days = [{ on = 2026-01-01, name = "N" }] }]',
        "calendars[0] (office).holidays.years[0]",
        "2026-01-01 is not in 2027",
    ),
    (
        "[[stages]]",
        SECOND_CALENDAR + "[[stages]]",
        "calendars[1] (office).key",
        "'office' is the key of another calendar too",
    ),
    (
        'calendar = "office" }',
        'calendar = "ofice" }',
        "handoff.sales.decide_within.calendar",
        "'ofice' is not a calendar. Did you mean office?",
    ),
    (
        '"8 hours", calendar',
        '"2 days", calendar',
        "handoff.sales.decide_within",
        "'2 days' has no length in a calendar's opening time; write hours",
    ),
    (
        '"8 hours", calendar',
        '"5000 hours", calendar',
        "handoff.sales.decide_within.time",
        "The calendar office is not open that long in five years",
    ),
    (
        '"8 hours", calendar',
        '"20000 hours", calendar',
        "handoff.sales.decide_within",
        "A time in a calendar's opening hours must be at most 10000 hours",
    ),
    ('"2 days"', '"soon"', "handoff.sales.first_touch_within.time", "'soon' is not a duration"),
    (
        "attempts = { at_least = 5",
        "attempts = { at_least = 0",
        "handoff.sales.attempts.at_least",
        "It must be at least 1, not 0.",
    ),
    (
        'stage = "lead", at_least = 40',
        'stage = "leads", at_least = 40',
        "handoff.marketing.volume[0].stage",
        "'leads' is not a stage. Did you mean lead?",
    ),
    ('per = "MONTH"', 'per = "MONTHS"', "handoff.marketing.volume[0].per", "'MONTHS' is not one of DAY, WEEK, MONTH"),
    ("at_least = 0.9", "at_least = 90", "handoff.marketing.completeness[0].at_least", "It must be at most 1, not 90."),
    (
        "at_least = 0.9",
        "at_least = 0.0",
        "handoff.marketing.completeness[0].at_least",
        "It must be more than 0, not 0.",
    ),
    (
        "rest = 0.2",
        "rest = 0.3",
        "attribution.models[0] (position).weights",
        "The weights sum to 1.1; they have to sum to 1.",
    ),
    ('method = "TIME_DECAY", half', "half", "attribution.models[1] (decay)", "The method WEIGHTS needs weights"),
    (
        'half_life = "7 days"',
        "weights = { rest = 1 }",
        "attribution.models[1] (decay)",
        "The method TIME_DECAY has no weights; remove it.",
    ),
    (
        "last_touch = 0.4",
        'deal_won = 0.4 }, anchor = "DEAL_OPENED" }, { key = "w", title = "W", weights = { first_touch = 0.8',
        "attribution.models[0] (position).weights",
        "The weights sum to 0.8",
    ),
    (
        "last_touch = 0.4, rest = 0.2 }",
        'deal_won = 0.4, rest = 0.2 }, anchor = "DEAL_OPENED"',
        "attribution.models[0] (position)",
        "The weight of deal_won is of a touch after the anchor DEAL_OPENED.",
    ),
    ('key = "decay"', 'key = "position"', "attribution.models", "The model position appears more than once"),
    (
        'canonical = "position"',
        'canonical = "positron"',
        "attribution.canonical",
        "'positron' is not a model. Did you mean position?",
    ),
    ("gross_margin = 0.7", "gross_margin = 70", "economics.gross_margin", "It must be at most 1, not 70."),
    ("gross_margin = 0.7", "gross_margin = 0", "economics.gross_margin", "It must be more than 0, not 0."),
    ("monthly_churn = 0.02", "monthly_churn = -0.1", "economics.monthly_churn", "It must be at least 0, not -0.1."),
    ("monthly_churn", "monthly_chrun", "economics.monthly_chrun", "There is no such key. Did you mean monthly_churn?"),
    (
        '"2027-07"',
        '"2027-7"',
        "economics.sales_costs[1] (2027-7).from",
        "'2027-7' is not a month; write one such as 2027-03.",
    ),
    (
        '"2027-07"',
        '"2026-12"',
        "economics.sales_costs",
        "The entry from 2026-12 stands after the one from 2027-01; list the months in order, each once.",
    ),
    (
        'currency = "EUR"',
        'timezone = "UTC"',
        "economics.sales_costs",
        "Sales costs are money, and the accord names no currency; state reporting.currency.",
    ),
    ('lead_stage = "lead"', 'lead_stage = "led"', "attribution.lead_stage", "'led' is not a stage. Did you mean lead?"),
    (
        'kpi = "deals_won"',
        'kpi = "deal_won"',
        "targets[0] (deal_won).kpi",
        "'deal_won' is not a KPI. Did you mean deals_won",
    ),
    (
        'kpi = "deals_won"\nperiod = "2027-Q1"',
        'kpi = "deal_won"\nperiod = "2027-Q9"',
        "targets[0] (deal_won).kpi",
        "'deal_won' is not a KPI. Did you mean deals_won",
    ),
    (
        'kpi = "deals_won"',
        'kpi = "stage_conversion"',
        "targets[0] (stage_conversion).kpi",
        "The KPI stage_conversion needs two stages in each request",
    ),
    (
        'kpi = "deals_won"',
        'kpi = "speed_to_lead"',
        "targets[0] (speed_to_lead).value",
        "The KPI speed_to_lead is a duration; state duration instead.",
    ),
    (
        "value = 300",
        'duration = "2 days"',
        "targets[0] (deals_won).duration",
        "The KPI deals_won is no duration; state value instead.",
    ),
    (
        "value = 300",
        'value = 3\nduration = "2 days"',
        "targets[0] (deals_won)",
        "A target has either a value or a duration",
    ),
    ("value = 300", "value = -1", "targets[0] (deals_won).value", "-1 is below 0"),
    ("value = 0.25", "value = 25", "targets[1] (win_rate).value", "25 is no share; write one from 0 to 1"),
    (
        'period = "2027-Q1"\nvalue = 300',
        'period = "2027-Q5"\nvalue = 300',
        "targets[0] (deals_won).period",
        "'2027-Q5' is not a year, quarter or month",
    ),
    (
        "value = 300",
        'value = 300\nonly = { dimension = "LEAD_SOURCE", value = "A" }',
        "targets[0] (deals_won).only.dimension",
        "The KPI deals_won cannot be broken down by LEAD_SOURCE",
    ),
    (
        'kpi = "deals_won"',
        'only = { dimension = "STAGE", value = "led" }\nkpi = "stage_volume"',
        "targets[0] (stage_volume).only.value",
        "'led' is not a stage. Did you mean lead?",
    ),
    (
        'kpi = "win_rate"',
        'kpi = "deals_won"',
        "targets[1] (deals_won)",
        "Another target, targets[0], is of deals_won for 2027-Q1 too",
    ),
    (
        'kpi = "deals_won"',
        'kpi = "mqls"',
        "targets[0] (mqls).kpi",
        "The KPI mqls reads the stage mql, which this accord does not have.",
    ),
    (
        "value = 300",
        'value = 300\nonly = { dimension = "CHANNEL", value = "EMIAL" }',
        "targets[0] (deals_won).only.value",
        "'EMIAL' is not a channel. Did you mean EMAIL?",
    ),
    (
        "value = 300",
        'value = 300\nonly = { dimension = "COMPANY_SIZE", value = "51-25" }',
        "targets[0] (deals_won).only.value",
        "'51-25' is not a company size. Did you mean 51-250 or 11-50?",
    ),
    (
        'kpi = "win_rate"',
        'only = { dimension = "REJECT_REASON", value = "NOFIT" }\nkpi = "rejection_rate"',
        "targets[1] (rejection_rate).only.value",
        "'NOFIT' is not a reject reason. Did you mean NO_FIT?",
    ),
    (
        'currency = "EUR"',
        'currency = "EURO"',
        "reporting.currency",
        "'EURO' is not one of EUR, SEK, USD, AED, AFN, ALL, AMD, ANG, ",
    ),
    ('currency = "EUR"', 'currency = "FOO"', "reporting.currency", "'FOO' is not one of EUR, SEK, USD, AED, AFN, "),
    ('owner = "SALES"', "", "stages[0] (known).owner", "It is missing."),
    (
        'currency = "EUR"\n',
        "",
        "targets[0] (revenue_won).value",
        "The KPI revenue_won is money, and the accord names no currency",
    ),
]


def test_the_document_has_no_mistakes() -> None:
    assert document_mistakes(DOCUMENT) == ()
    assert document_mistakes(json.dumps(tomllib.loads(DOCUMENT), default=str), "JSON") == ()


@pytest.mark.parametrize(("old", "new", "path", "sentence"), MISTAKES)
def test_a_mistake_has_its_path_and_a_sentence(old: str, new: str, path: str, sentence: str) -> None:
    text = DOCUMENT.replace(old, new, 1)
    if "revenue_won" in path:
        text = text.replace('kpi = "deals_won"', 'kpi = "revenue_won"')
    assert text != DOCUMENT
    found = document_mistakes(text)
    assert [mistake.message for mistake in found if mistake.path == path and mistake.message.startswith(sentence)], [
        f"{mistake.path}: {mistake.message}" for mistake in found
    ]
    assert document_mistakes(json.dumps(tomllib.loads(text), default=str), "JSON") == found


# One mistake in a section, or between two, each without another that follows from it.
TOGETHER = [
    ('closes_to = "lead"', 'closes_to = "leed"'),
    ('until = "08:00"', 'until = "20:00"'),
    ('calendar = "office" }', 'calendar = "ofice" }'),
    ("rest = 0.2", "rest = 0.3"),
    ('canonical = "position"', 'canonical = "positron"'),
    ('kpi = "deals_won"', 'kpi = "deal_won"'),
    ("at_least = 0.9", "at_least = 90"),
    ('{ stage = "known",', '{ stage = "lead",'),
    ('kind = "FORM"', 'kind = "FROM"'),
    ('window = "14 days"', 'windows = "14 days"'),
    ("value = 0.25", "value = 25"),
    ('country = "DE", subdivision = "BE"', 'country = "QQ"'),
]


def test_of_many_words_the_first_and_the_nearest_are_named() -> None:
    (mistake,) = document_mistakes(DOCUMENT.replace('currency = "EUR"', 'currency = "EURO"'))
    assert mistake.message.endswith(f", BGN and {len(Currency) - 20} more. Did you mean EUR?")


def test_all_mistakes_are_reported_at_once() -> None:
    text = DOCUMENT
    for old, new in TOGETHER:
        text = text.replace(old, new, 1)
    found = document_mistakes(text)
    assert sorted(mistake.path for mistake in found) == [
        "attribution.canonical",
        "attribution.models[0] (position).weights",
        "calendars[0] (office).holidays.country",
        "contact_policy.quiet_hours",
        "exits[0].closes_to",
        "handoff.marketing.completeness[0].at_least",
        "handoff.sales.decide_within.calendar",
        "stages[1] (lead).rule.all[0].stage",
        "stages[1] (lead).rule.all[1].any[0].touches.kind",
        "stages[1] (lead).windows",
        "targets[0] (deal_won).kpi",
        "targets[1] (win_rate).value",
    ]
    with pytest.raises(InvalidAccordError) as caught:
        parse_accord(text, origin="ours.toml")
    assert caught.value.mistakes == found
    assert all(mistake.line in caught.value.message for mistake in found)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"title": "a", "title": "b"}', "The document is not valid JSON: the key title appears twice in one table."),
        ('{"title": NaN}', "The document is not valid JSON: NaN is not a number."),
        ("{", "The document is not valid JSON: Expecting property name"),
        ("[]", "Expected a table, found a list."),
        ('"text"', "Expected a table, found 'text'."),
        ("[" * 100_000, "The document is nested too deep to be read"),
    ],
)
def test_text_that_is_no_document_has_one_mistake(text: str, sentence: str) -> None:
    (mistake,) = document_mistakes(text, "JSON")
    assert mistake.path == ""
    assert mistake.message.startswith(sentence)


def test_a_rule_too_deep_for_the_validator_is_a_mistake() -> None:
    rule = '{"not": ' * 400 + '{"all": []}' + "}" * 400
    stage = f'{{"key": "a", "title": "A", "group": "G", "owner": "SALES", "meaning": "M", "rule": {rule}}}'
    found = document_mistakes(f'{{"title": "deep", "stages": [{stage}]}}', "JSON")
    assert found
    assert any("nested" in mistake.message for mistake in found)


def test_text_that_cannot_be_encoded_is_a_mistake() -> None:
    found = document_mistakes(json.dumps(tomllib.loads(DOCUMENT), default=str).replace("Office", "\\ud800"), "JSON")
    assert [mistake.path for mistake in found] == ["calendars[0] (office).title"]


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_damaged_document_has_mistakes_with_paths_and_sentences(seed: int) -> None:
    document = json.loads(parse_accord(DOCUMENT, origin="test").canonical())
    order = random.Random(seed)
    for _ in range(order.randint(1, 4)):
        damage(document, order)
    for mistake in document_mistakes(json.dumps(document), "JSON"):
        assert mistake.message[-1] in ".?", mistake
        assert not any(word in mistake.message for word in ("Input should", "Value error", "pydantic", "None")), mistake
        assert mistake.path or mistake.message, mistake


def damage(document: Any, order: random.Random) -> None:  # noqa: ANN401 - JSON
    """Replace, remove or misspell something at a random depth."""
    node = document
    while True:
        keys = [*node] if isinstance(node, dict) else [*range(len(node))]
        if not keys:
            return
        key = order.choice(keys)
        if isinstance(node[key], dict | list) and order.random() < 0.8:
            node = node[key]
            continue
        change = order.randrange(3)
        if change == 0:
            node[key] = order.choice((None, True, 0, -1, 1.5, "", "x", [], {}, [[]], {"all": 3}, "2026-13-40", "24:30"))
        elif change == 1:
            del node[key]
        elif isinstance(node, dict):
            node[f"{key}s"] = node.pop(key)
        return


def test_a_stage_that_is_dropped_is_a_mistake_at_every_clause_that_names_it() -> None:
    targets = '[[targets]]\nkpi = "stage_volume"\nperiod = "2027-Q1"\nvalue = 1\n'
    target = 'only = { dimension = "STAGE", value = "lead" }\n'
    text = f"{DOCUMENT}{targets}{target}"
    assert document_mistakes(text) == ()
    paths = {mistake.path for mistake in document_mistakes(text.replace('key = "lead"', 'key = "other"'))}
    assert paths == {
        "exits[0].closes_to",
        "handoff.marketing.volume[0].stage",
        "handoff.marketing.completeness[0].stage",
        "handoff.marketing.hand_over[0].stage",
        "attribution.lead_stage",
        "targets[2] (stage_volume).only.value",
    }
