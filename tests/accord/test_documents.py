"""Accord documents: round trips through JSON and TOML, error messages, one form for equal content."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.accord.documents import built_in_accords, parse_accord, read_accord
from api.errors import AccordError, ErrorCode
from schema.accord import Accord
from schema.clauses.contact_policy import ContactPolicy, Exemptions
from schema.clauses.rules import AccordModel, FieldIs
from schema.toml_text import accord_toml
from tests.funnel import histories
from tests.support.random_choices import RandomChoices

POLICIES = (
    None,
    ContactPolicy(at_most=3, within=timedelta(hours=24)),
    ContactPolicy(at_most=1, within=timedelta(days=7), exempt=Exemptions(reply_within=timedelta(minutes=90))),
    ContactPolicy(at_most=1000, within=timedelta(seconds=1), exempt=Exemptions(automated=True)),
)
STANDARD = Path("schema/accords/standard.toml").read_text("utf-8")


@pytest.mark.parametrize("name", built_in_accords())
def test_a_built_in_accord_survives_json_and_toml(name: str) -> None:
    accord = read_accord(name)
    assert Accord.model_validate_json(accord.canonical()) == accord
    assert parse_accord(accord_toml(accord), origin="again") == accord


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), title=st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1))
def test_any_accord_survives_json_and_toml(seed: int, title: str) -> None:
    policy = POLICIES[seed % len(POLICIES)]
    accord = histories.accord(RandomChoices.of_seed(seed)).model_copy(update={"title": title, "contact_policy": policy})
    again = Accord.model_validate_json(accord.canonical())
    assert again == accord
    assert again.content_hash() == accord.content_hash()
    assert parse_accord(accord_toml(accord), origin="again") == accord


@pytest.mark.parametrize(
    ("name", "content_hash"),
    [
        ("standard", "f3b35354f78470c39616da387f7ab4e56756db7e6bcf6303ea16e7d64b80b60d"),
        ("olist", "13ebc633f924a486c024d2cb71218306da5e5c367dbc6bbef7713075a3109e3a"),
        ("maven", "64fbcd6b188e975b97ef9dba23360b18961662c26814b91ccabf12b8ba669f26"),
    ],
)
def test_a_document_that_does_not_state_a_younger_key_keeps_its_hash(name: str, content_hash: str) -> None:
    accord = read_accord(name)
    assert accord.content_hash() == content_hash
    stated = accord.reporting.model_copy(update={"fiscal_year_named_by": "START"})
    assert accord.model_copy(update={"reporting": stated}).content_hash() != content_hash


def test_a_stated_naming_of_fiscal_years_survives_json_and_toml() -> None:
    text = STANDARD.replace("[reporting]", '[reporting]\nfiscal_year_named_by = "START"')
    accord = parse_accord(text, origin="ours.toml")
    assert '"fiscal_year_named_by":"START"' in accord.canonical()
    assert Accord.model_validate_json(accord.canonical()) == accord
    assert parse_accord(accord_toml(accord), origin="again") == accord


def test_every_field_of_the_document_has_a_description() -> None:
    fields = [
        (f"{model.__name__}.{name}", field.description)
        for model in AccordModel.__subclasses__()
        for name, field in model.model_fields.items()
    ]
    assert len(fields) > 40
    assert [name for name, description in fields if not description or not description.endswith(".")] == []


@pytest.mark.parametrize("value", [2, 2.0, "2", "2.00", "0.2e1"])
def test_equal_numbers_have_one_form(value: object) -> None:
    rule = FieldIs.model_validate({"field": "company.annual_revenue", "op": "gte", "value": value})
    assert rule.model_dump_json() == '{"field":"company.annual_revenue","op":"gte","value":"2"}'


# The change to the standard accord, and what the error message must contain.
INVALID = [
    ("at_least = 2", "at_least = 0", "stages[2] (mql).rule.all[0].touches.at_least: must be at least 1, not 0"),
    ('kind = ["FORM"', 'kind = ["FROM"', "stages[1] (inquiry).rule.touches.kind[0]: 'FROM' is not one of AD_CLICK"),
    ('op = "eq"', 'op = "equals"', "stages[2] (mql).rule.all[2].op: 'equals' is not one of eq, ne, lt"),
    ("contact.phone", "contact.fone", "stages[2] (mql).rule.all[1].any[1].field: 'contact.fone' is not a field"),
    (
        "contact.phone",
        "contact.created_at",
        "'contact.created_at' is not a field that rules can read; they can read contact.",
    ),
    ('op = "eq", value = false', 'op = "eq", value = "no"', "contact.email_opt_out: 'no' is not true or false"),
    ('op = "eq", value = false', 'op = "gt", value = false', "contact.email_opt_out has no order"),
    ('within = "30 days"', 'within = "30 moons"', "touches.within: '30 moons' is not a duration; write a whole number"),
    (
        'within = "30 days"',
        'within = "0 days"',
        "touches.within: a duration must be a whole number of seconds, more than 0",
    ),
    ('within = "30 days"', "within = 30", "touches.within: '30' is not a duration"),
    ('owner = "MARKETING"', "", "stages[0] (suspect).owner: is missing"),
    ('key = "mql"', 'key = "MQL"', "stages[2] (MQL).key: 'MQL' must match"),
    (
        'key = "mql"',
        'key = "sal"',
        "stages[3] (sal).key: 'sal' is the key of another stage too; give each one another key",
    ),
    ("title = ", "titel = ", "titel: there is no such key. Did you mean title?"),
    ("{ all = [] }", "{ al = [] }", "stages[0] (suspect).rule: a rule is a table with one of the keys all, any, not"),
    ("{ all = [] }", "3", "stages[0] (suspect).rule: a rule is a table"),
    (
        "{ all = [] }",
        '{ stage = "sql" }',
        "stages[0] (suspect).rule.stage: 'sql' is not a stage below this one; lower stages: none",
    ),
    (
        "{ all = [] }",
        '{ not = { handoff = "MAYBE" } }',
        "stages[0] (suspect).rule.not.handoff: 'MAYBE' is not one of PROPOSED",
    ),
    (
        'closes_to = "sql"',
        'closes_to = "sqll"',
        "exits[0].closes_to: 'sqll' is not a stage. Did you mean sql? The stages are suspect, inquiry",
    ),
    (
        'closes_to = "sql"',
        'closes_to = "inquiry"',
        "exits[0]: it closes mql up to inquiry, which is the lower stage; swap them",
    ),
    (
        'timezone = "UTC"',
        'timezone = "Mars/Base"',
        "reporting.timezone: 'Mars/Base' is not an IANA time zone; write one such as Europe/Berlin",
    ),
    (
        "[reporting]",
        '[reporting]\nfiscal_year_named_by = "MIDDLE"',
        "reporting.fiscal_year_named_by: 'MIDDLE' is not one of START, END",
    ),
    ("at_most = 5", "at_most = 0", "contact_policy.at_most: must be at least 1, not 0"),
    ('within = "7 days"', 'within = "a week"', "contact_policy.within: 'a week' is not a duration"),
    (
        "automated = true",
        "newsletters = true",
        "contact_policy.exempt.newsletters: there is no such key. The keys are automated, reply_within",
    ),
    ('title = "Suspect"', 'title = "Sus\\u0000pect"', "stages[0] (suspect): title has a character"),
    (
        "{ all = [] }",
        "{ not = " * 21 + "{ all = [] }" + " }" * 21,
        "stages[0] (suspect).rule: it is nested more than 20 levels deep; simplify it",
    ),
    ("{ all = [] }", "{ not = " * 2000 + "{ all = [] }" + " }" * 2000, "is nested too deep to be read"),
    ("[reporting]", "[reporting", "is not valid TOML"),
    ('title = "Suspect"', "title = []", "stages[0] (suspect).title: expected text, found a list"),
    ('on = "DEAL_LOST"', 'on = "HANDOFF_REJECTED"', "exits[1]: an exit on HANDOFF_REJECTED needs dispositions"),
    ('"DISQUALIFY"]', '"RETURN_FOR_DATA"]', "exits[0]: RETURN_FOR_DATA cannot end an entry"),
    ("value = false },\n]", "value = [false] },\n]", "contact.email_opt_out: a list of values needs the operator in"),
]


@pytest.mark.parametrize(("old", "new", "expected"), INVALID)
def test_an_error_names_the_key_and_what_it_should_be(old: str, new: str, expected: str) -> None:
    assert old in STANDARD
    with pytest.raises(AccordError) as caught:
        parse_accord(STANDARD.replace(old, new), origin="ours.toml")
    assert caught.value.code is ErrorCode.BAD_ACCORD
    assert expected in caught.value.message
    assert caught.value.message.startswith("ours.toml")
    assert not any(
        word in caught.value.message.lower() for word in ("pydantic", "input should", "validation", "value error")
    )


def test_the_error_of_an_unreadable_file_names_it(tmp_path: Path) -> None:
    latin = tmp_path / "latin.toml"
    latin.write_bytes("title = 'Größe'".encode("latin-1"))
    for name, expected in (
        (str(tmp_path / "none.toml"), "There is no accord"),
        (str(tmp_path), "cannot be read"),
        (str(latin), "UTF-8"),
    ):
        with pytest.raises(AccordError) as caught:
            read_accord(name)
        assert caught.value.code is ErrorCode.BAD_FILE
        assert expected in caught.value.message
