"""Every part of an accord renders the sentence that both teams sign."""

from datetime import timedelta

import pytest

from api.accord.documents import parse_accord, read_accord
from schema.accord import Accord
from schema.clauses.contact_policy import ContactPolicy
from schema.clauses.reporting import Reporting
from schema.sentences.clause_sentences import (
    exit_sentence,
    policy_sentences,
    reason_sentence,
    reporting_sentences,
    window_sentence,
)
from schema.sentences.rule_sentences import rule_sentence

TOML = """
title = "t"
[[stages]]
key = "mql"
title = "Lead"
group = "g"
owner = "SALES"
meaning = "m"
rule = { all = [] }
[[stages]]
key = "next"
title = "Next"
group = "g"
owner = "SALES"
meaning = "m"
rule = %s
"""

SENTENCES = [
    ("{ all = [] }", "the contact exists"),
    (
        '{ touches = { direction = "INBOUND", at_least = 2, within = "30 days" } }',
        "at least 2 inbound touches less than 30 days ago",
    ),
    (
        '{ touches = { team = "SALES", kind = ["CALL", "MEETING", "EMAIL_REPLY"], campaign = "Spring" } }',
        "at least 1 touch by sales of kind call, meeting or e-mail reply of campaign 'Spring'",
    ),
    ('{ not = { touches = { within = "72 h" } } }', "not (at least 1 touch less than 3 days ago)"),
    ('{ field = "contact.lead_score", op = "gte", value = 50 }', "lead score is at least 50"),
    ('{ field = "contact.do_not_call", op = "ne", value = true }', "did not ask not to be called"),
    (
        '{ field = "company.industry", op = "in", value = ["toys", "tools"] }',
        "the company's industry is 'toys' or 'tools'",
    ),
    ('{ handoff = "RETURNED" }', "sales returned a handoff for more data"),
    ('{ handoff = "ACCEPTED", after = "mql" }', "sales accepted a handoff after Lead was entered"),
    (
        '{ touches = { team = "SALES", within = "1 day", after = "mql" } }',
        "at least 1 touch by sales less than 1 day ago after Lead was entered",
    ),
    (
        """{ score = { at_least = 12.50, terms = [
            { kind = "FORM", direction = "INBOUND", points = 10 }, { outcome = "NO_ANSWER", points = -1 },
        ], half_life = "1 day" } }""",
        (
            "a score of at least 12.5 (10 points for each inbound touch of kind form; -1 point for each touch with"
            " outcome no answer; halved every day)"
        ),
    ),
    ("{ score = { terms = [{ points = 5 }], at_least = 5 } }", "a score of at least 5 (5 points for each touch)"),
    ('{ silence = "2 weeks" }', "no touch of any kind for 14 days"),
    (
        '{ reported = { source = "hubspot", stage = "customer" } }',
        "the stage that hubspot reported last is 'customer'",
    ),
    (
        '{ reported = { source = "hubspot", stage = ["opportunity", "customer"] } }',
        "the stage that hubspot reported last is 'opportunity' or 'customer'",
    ),
    (
        '{ deal = { state = "OPEN", pipeline = "New", amount_at_least = 1e3 } }',
        "has a role in an open deal of pipeline 'New' of at least 1000",
    ),
    (
        '{ deal = { state = "LOST", amount_at_least = -5 } }',
        "has a role in a lost deal of at least -5 whose amount is not negative",
    ),
    ('{ stage = "mql", within = "1 week" }', "Lead was entered less than 7 days ago"),
    (
        '{ any = [{ stage = "mql" }, { all = [{ handoff = "ACCEPTED" }, { deal = { state = "WON" } }] }] }',
        (
            "Lead was entered before or (sales accepted a handoff, and has a role in a won deal whose amount is not"
            " negative)"
        ),
    ),
]


@pytest.mark.parametrize(("rule", "sentence"), SENTENCES)
def test_a_rule_renders_as_a_sentence(rule: str, sentence: str) -> None:
    accord = parse_accord(TOML % rule, origin="test")
    assert rule_sentence(accord.stages[1].rule, accord) == sentence


def test_the_standard_accord_renders_in_plain_english() -> None:
    accord: Accord = read_accord("standard")
    assert rule_sentence(accord.stages[2].rule, accord) == (
        "at least 2 inbound touches less than 30 days ago, and (e-mail known or phone known),"
        " and not opted out of e-mail"
    )
    assert (
        window_sentence(accord.stages[2], accord)
        == "The step to Sales accepted lead counts if it takes at most 14 days, exactly 14 days included."
    )
    assert window_sentence(accord.stages[0], accord) == "The step to Inquiry has no time limit."
    assert [exit_sentence(leaving, accord) for leaving in accord.exits] == [
        (
            "A handoff that sales rejects with a reason to recycle or to disqualify closes Marketing qualified lead up"
            " to Sales qualified lead (a reason that is not listed means to recycle)."
        ),
        (
            "A lost deal closes Marketing qualified lead up to Opportunity, unless the contact has another open deal."
            " Deals with a negative amount do not count."
        ),
    ]
    assert reason_sentence(accord.reject_reasons[0]).startswith("NO_FIT: Not our kind of customer (to disqualify")
    assert accord.contact_policy is not None
    assert policy_sentences(accord.contact_policy, accord) == (
        (
            "No person gets more than 5 touches from both teams together, over all channels, in any 7 days"
            " (a touch exactly 7 days old no longer counts)."
        ),
        "Not counted: automated touches and replies less than 1 day after the person's own touch.",
        (
            "Nobody is touched from 20:00 to 08:00 of the next day, by the person's own clock;"
            " if the person's time zone is not known, by that of UTC."
        ),
    )
    once = ContactPolicy(at_most=1, within=timedelta(hours=36))
    assert policy_sentences(once, accord) == (
        (
            "No person gets more than 1 touch from both teams together, over all channels, in any 36 hours"
            " (a touch exactly 36 hours old no longer counts)."
        ),
        "Every outbound touch counts.",
    )
    assert reporting_sentences(accord)[0] == "Days begin at midnight in UTC, weeks on Monday."


@pytest.mark.parametrize(
    ("month", "named_by", "sentence"),
    [
        (1, "START", "Fiscal years are calendar years: FY2026 begins on 1 January 2026."),
        (1, "END", "Fiscal years are calendar years: FY2026 begins on 1 January 2026."),
        (
            2,
            "START",
            (
                "Fiscal years begin on 1 February and have the name of the year in which they begin:"
                " February 2026 to January 2027 is FY2026. Periods that are not named as fiscal are those of the"
                " calendar: 2026-Q1 is January to March 2026."
            ),
        ),
        (
            10,
            "END",
            (
                "Fiscal years begin on 1 October and have the name of the year in which they end:"
                " October 2026 to September 2027 is FY2027. Periods that are not named as fiscal are those of the"
                " calendar: 2026-Q1 is January to March 2026."
            ),
        ),
    ],
)
def test_the_fiscal_year_is_a_sentence(month: int, named_by: str, sentence: str) -> None:
    reporting = Reporting.model_validate({"fiscal_year_start_month": month, "fiscal_year_named_by": named_by})
    accord = read_accord("standard").model_copy(update={"reporting": reporting})
    assert reporting_sentences(accord)[1] == sentence
