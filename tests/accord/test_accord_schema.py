"""The JSON schema that editors complete accord documents by."""

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.accord import Accord
from schema.accord_schema import accord_json_schema
from schema.clauses.document_parts import models_in
from schema.clauses.rules import AccordModel
from schema.kpis import CATALOGUE
from schema.toml_text import accord_toml
from tests.accord.generated_sections import with_sections
from tests.accord.test_document_mistakes import DOCUMENT
from tests.funnel import histories
from tests.support.json_schemas import schema_errors
from tests.support.random_choices import RandomChoices

SCHEMA = accord_json_schema()
SHIPPED = sorted(Path("schema/accords").glob("*.toml"))


def errors(document: object) -> list[str]:
    """The errors of a document as TOML or JSON has it, with dates as editors read them."""
    return [*schema_errors(SCHEMA, json.loads(json.dumps(document, default=str)), SCHEMA)]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_accord_fits_the_schema(path: Path) -> None:
    assert errors(tomllib.loads(path.read_text("utf-8"))) == []


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_any_valid_document_fits_the_schema(seed: int) -> None:
    choices = RandomChoices.of_seed(seed)
    accord = with_sections(histories.accord(choices), choices)
    assert errors(json.loads(accord.canonical())) == []
    assert errors(tomllib.loads(accord_toml(accord))) == []


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("title =", "titel =", ": title is missing"),
        ('window = "14 days"', 'window = "two weeks"', ".stages[1].window: 'two weeks' is against pattern"),
        ('owner = "SALES"', 'owner = "SALE"', ".stages[0].owner: 'SALE' is against enum"),
        ("at_least = 40", "at_most = 40", ".handoff.marketing.volume[0]: there is no key at_most"),
        ('stage = "known", within', 'stages = "known", within', ".stages[1].rule: 0 of oneOf"),
        ('"contact.email"', '"contact.mail"', ".stages[1].needs[0]: 'contact.mail' is against enum"),
        ('kpi = "deals_won"', 'kpi = "deal_won"', ".targets[0].kpi: 'deal_won' is against enum"),
        ('calendar = "office"', "calendar = 3", ".handoff.sales.decide_within: none of anyOf"),
        ("rest = 0.2", "rest = 2", ".attribution.models[0].weights.rest: none of anyOf"),
        ('until = "08:00"', 'until = "8:00"', ".contact_policy.quiet_hours.until: '8:00' is against pattern"),
    ],
)
def test_a_mistake_is_against_the_schema(old: str, new: str, error: str) -> None:
    assert errors(tomllib.loads(DOCUMENT)) == []
    found = errors(tomllib.loads(DOCUMENT.replace(old, new, 1)))
    assert [text for text in found if text.startswith(error)], found


def test_every_key_of_every_model_is_described() -> None:
    waiting: list[type[AccordModel]] = [Accord]
    seen: set[str] = set()
    while waiting:
        model = waiting.pop()
        if model.__name__ in seen:
            continue
        seen.add(model.__name__)
        table = SCHEMA if model is Accord else SCHEMA["$defs"][model.__name__]
        table = next((option for option in table.get("anyOf", ()) if "properties" in option), table)
        keys = {field.alias or name for name, field in model.model_fields.items()}
        assert table["properties"].keys() == keys, model.__name__
        assert all(shown.get("description") for shown in table["properties"].values()), model.__name__
        waiting += [
            inner
            for field in model.model_fields.values()
            for inner in models_in(field.annotation)
            if issubclass(inner, AccordModel)
        ]
    assert {"Not", "TimeLimit", "HolidayYear", "AttributionWeights"} <= seen


def test_words_have_their_meanings_and_rules_one_definition() -> None:
    definitions = SCHEMA["$defs"]
    assert definitions["Weekday"]["enum"][0] == "MONDAY"
    for name in ("TeamKind", "Disposition", "AttributionMethod"):
        words = definitions[name]
        assert len(words["x-taplo"]["docs"]["enumValues"]) == len(words["enum"]) > 1
    assert definitions["Not"]["properties"]["not"]["$ref"] == "#/$defs/Rule"
    assert definitions["Stage"]["properties"]["rule"]["$ref"] == "#/$defs/Rule"
    assert definitions["AllOf"]["properties"]["all"]["items"]["$ref"] == "#/$defs/Rule"
    assert definitions["Target"]["properties"]["kpi"]["enum"] == [*CATALOGUE]
    assert '"null"' not in json.dumps(SCHEMA)  # TOML has none
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
