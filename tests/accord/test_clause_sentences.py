"""The sentences of duties, calendars, quiet hours, attribution and targets."""

from datetime import date
from pathlib import Path

import pytest

from api.accord.documents import parse_accord, read_accord
from api.accord.stated_holidays import with_stated_holidays
from schema.clauses.economics import Economics
from schema.sentences.clause_sentences import policy_sentences
from schema.sentences.duty_sentences import calendar_sentences, duty_sentences
from schema.sentences.economics_sentences import economics_sentences
from schema.sentences.result_sentences import attribution_sentences, target_sentence
from tests.accord.test_document_mistakes import DOCUMENT

STANDARD = Path("schema/accords/standard.toml").read_text("utf-8")
ACCORD = parse_accord(DOCUMENT, origin="test")


def test_duties_are_sentences() -> None:
    assert ACCORD.handoff is not None
    assert duty_sentences(ACCORD.handoff, ACCORD) == (
        "In every month marketing hands at least 40 of Lead over to sales.",
        "Of the people of Lead handed over, at least 90 % have contact.email filled in.",
        "Marketing hands a person over at most 1 day after the person entered Lead.",
        "Sales decides on a handoff at most 8 hours of the opening time of Office hours after it.",
        "Sales touches a person by hand for the first time at most 2 days after the handoff.",
        "Sales tries at least 5 times to reach an accepted person, at most 14 days after it accepted.",
        "Sales rejects a handoff with a reason of this accord.",
    )


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            ', count = "HANDED_OVER"',
            "",
            "In every month marketing hands over so many of Lead that sales accepts at least 40.",
        ),
        (
            '"MONTH"',
            '"FISCAL_QUARTER"',
            "In every fiscal quarter marketing hands at least 40 of Lead over to sales.",
        ),
        (
            "at_least = 5",
            "at_least = 1",
            "Sales tries at least once to reach an accepted person, at most 14 days after it accepted.",
        ),
        (
            '"8 hours", calendar',
            '"24 hours", calendar',
            "Sales decides on a handoff at most 24 hours of the opening time of Office hours after it.",
        ),
        (
            "attempts =",
            'reject_with = ["REASON", "NOTE"]\nattempts =',
            "Sales rejects a handoff with a reason of this accord and a note.",
        ),
    ],
)
def test_a_setting_of_a_duty_is_in_its_sentence(old: str, new: str, sentence: str) -> None:
    accord = parse_accord(DOCUMENT.replace(old, new, 1), origin="test")
    assert accord.handoff is not None
    assert sentence in duty_sentences(accord.handoff, accord)


def test_a_calendar_is_sentences_with_its_dates() -> None:
    stated = with_stated_holidays(ACCORD, date(2026, 11, 28))
    sentences = calendar_sentences(stated.calendars[0], stated)
    assert sentences[:2] == (
        "Office hours is open Monday and Tuesday from 09:00 to 17:00, by the clock of Europe/Berlin.",
        "It is closed on the public holidays of DE-BE.",
    )
    assert sentences[3].startswith("The holidays of 2026 are New Year's Day (1 January), Women's Day (8 March), ")
    assert sentences[-1] == "It is also closed on 24 December 2026 (Christmas Eve)."


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ('"MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"', "Monday to Friday"),
        ('"FRIDAY", "MONDAY", "TUESDAY", "WEDNESDAY"', "Monday to Wednesday and Friday"),
        ('"SATURDAY"', "Saturday"),
        ('"MONDAY", "WEDNESDAY", "FRIDAY"', "Monday, Wednesday and Friday"),
    ],
)
def test_days_of_the_week_are_joined(days: str, words: str) -> None:
    accord = parse_accord(DOCUMENT.replace('"MONDAY", "TUESDAY"', days), origin="test")
    assert calendar_sentences(accord.calendars[0], accord)[0].startswith(f"Office hours is open {words} from 09:00")


def test_caps_and_quiet_hours_are_sentences() -> None:
    assert ACCORD.contact_policy is not None
    sentences = policy_sentences(ACCORD.contact_policy, ACCORD)
    assert sentences[1] == "Through phone it is not more than 2 touches in any 1 day."
    assert sentences[-1].startswith("Nobody is touched from 20:00 to 08:00 of the next day, by the person's own clock;")
    changed = DOCUMENT.replace('"20:00"', '"00:00"').replace('"08:00" }', '"08:00", channels = ["PHONE", "EMAIL"] }')
    accord = parse_accord(changed, origin="test")
    assert accord.contact_policy is not None
    quiet = policy_sentences(accord.contact_policy, accord)[-1]
    assert quiet.startswith("Nobody is touched through phone or e-mail from 00:00 to 08:00, by the person's own clock;")


def test_attribution_is_sentences() -> None:
    standard = read_accord("standard")
    assert standard.attribution is not None
    sentences = attribution_sentences(standard.attribution, standard)
    assert sentences[4] == (
        "U-shaped: 40 % to the first touch, 40 % to the touch at the entry into Inquiry and 20 % to all other touches"
        " in equal parts; touches of the 90 days up to the entry into Inquiry count."
    )
    assert "22.5 % to the touch at the winning of the deal" in sentences[6]
    assert sentences[8] == (
        "Time decay, 7 days: a touch has half the credit of one that is 7 days younger; touches of the 90 days up to"
        " the winning of the deal count."
    )
    assert sentences[-2:] == (
        "The model that counts is Position.",
        "Marketing sourced a deal if marketing made the first touch of anybody on it.",
    )


def test_economics_are_sentences() -> None:
    costs = ({"from": "2027-01", "per_month": 40000}, {"from": "2027-07", "per_month": "52000.5"})
    economics = Economics.model_validate({"gross_margin": 0.7, "monthly_churn": "0.025", "sales_costs": costs})
    assert economics_sentences(economics, ACCORD) == (
        "The gross margin is 70 % of revenue.",
        "Of the customers, 2.5 % leave each month.",
        "From 2027-01 on, sales costs 40,000 EUR a month.",
        "From 2027-07 on, sales costs 52,000.5 EUR a month.",
    )
    assert economics_sentences(Economics(), ACCORD) == ()


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ('kpi = "mqls"\nvalue = 1300', "Marketing qualified leads in 2027-Q1: 1,300."),
        ('kpi = "win_rate"\nvalue = 0.255\nteam = "SALES"', "Win rate in 2027-Q1: 25.5 %, by sales."),
        ('kpi = "revenue_won"\nvalue = 1200000.5', "Revenue won in 2027-Q1: 1,200,000.5 EUR."),
        ('kpi = "speed_to_lead"\nduration = "90 minutes"', "Speed to lead in 2027-Q1: 90 minutes."),
        (
            'kpi = "mqls"\nvalue = 7\nonly = { dimension = "LEAD_SOURCE", value = "Web" }',
            "Marketing qualified leads in 2027-Q1: 7, with lead source Web.",
        ),
    ],
)
def test_a_target_is_a_sentence(target: str, sentence: str) -> None:
    text = f'{STANDARD}\n[[targets]]\nperiod = "2027-Q1"\n{target}\n'
    accord = parse_accord(text, origin="test")
    assert target_sentence(accord.targets[0], accord) == sentence


def test_a_target_for_a_kpi_that_is_no_longer_known_has_its_key() -> None:
    (target, *_) = ACCORD.targets
    assert target_sentence(target.model_copy(update={"kpi": "faxes_sent"}), ACCORD) == "faxes_sent in 2027-Q1: 300."
