"""The canonical text: one for equal content, read back by its format, and never compared with today's catalogue."""

import json
import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.accord.documents import InvalidAccordError, parse_accord, read_accord, read_document
from api.errors import AccordError, ErrorCode
from schema.accord import FORMAT, Accord
from schema.toml_text import accord_toml
from tests.accord.generated_sections import with_sections
from tests.funnel import histories
from tests.support.random_choices import RandomChoices

SEEDS = st.integers(0, 2**32)


def generated(seed: int) -> Accord:
    choices = RandomChoices.of_seed(seed)
    return with_sections(histories.accord(choices), choices)


@settings(max_examples=150, deadline=None)
@given(seed=SEEDS)
def test_any_document_survives_its_text_and_toml(seed: int) -> None:
    accord = generated(seed)
    assert read_document(accord.canonical(), FORMAT) == accord
    assert parse_accord(accord.canonical(), origin="again", form="JSON") == accord
    again = parse_accord(accord_toml(accord), origin="again")
    assert again == accord
    assert again.content_hash() == accord.content_hash()


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS)
def test_the_text_is_the_same_for_any_order_of_keys_and_spelling_of_numbers(seed: int) -> None:
    accord, order = generated(seed), random.Random(seed)
    written = json.dumps(respelled(json.loads(accord.canonical()), order))
    assert parse_accord(written, origin="again", form="JSON").canonical() == accord.canonical()


def respelled(node: object, order: random.Random) -> object:
    """The same JSON with its keys in another order and its decimals, which are text, in another spelling."""
    if isinstance(node, dict):
        keys = order.sample([*node], len(node))
        return {key: respelled(_spelled(key, node[key], order), order) for key in keys}
    return [respelled(item, order) for item in node] if isinstance(node, list) else node


def _spelled(key: str, value: object, order: random.Random) -> object:
    decimals = ("first_touch", "last_touch", "rest", "amount_at_least")
    if key not in decimals or not isinstance(value, str):
        return value
    number = Decimal(value)
    return order.choice((value, float(number), f"{number}0" if "." in value else f"{number}.0", f"{number:E}"))


def test_a_section_that_is_not_stated_is_not_in_the_text() -> None:
    body = json.loads(read_accord("maven").canonical())
    assert body.keys() == {"title", "stages", "exits", "reject_reasons", "reporting"}
    assert body["reporting"].keys() == {
        "timezone", "week_start", "fiscal_year_start_month", "currency", "exclude"
    }  # fmt: skip
    policy = json.loads(read_accord("standard").canonical())["contact_policy"]
    assert policy.keys() == {"at_most", "within", "exempt", "quiet_hours"}


def test_a_stated_section_has_its_defaults_in_the_text() -> None:
    text = parse_accord(accord_toml(read_accord("maven")) + "\n[handoff.sales]\n", origin="test").canonical()
    assert json.loads(text)["handoff"] == {"sales": {"reject_with": ["REASON"]}}


def test_a_document_of_a_later_format_names_who_wrote_it() -> None:
    with pytest.raises(AccordError, match="A newer Accord wrote this version of the accord: its format is 2") as caught:
        read_document(read_accord("maven").canonical(), FORMAT + 1)
    assert caught.value.code is ErrorCode.BAD_ACCORD
    assert "later" in caught.value.remedy


def test_a_document_with_unknown_content_names_who_wrote_it() -> None:
    text = read_accord("maven").canonical().replace('"exits"', '"refunds":[],"exits"')
    with pytest.raises(AccordError, match=r"A newer Accord wrote .* refunds: there is no such key") as caught:
        read_document(text, FORMAT)
    assert caught.value.code is ErrorCode.BAD_ACCORD


def test_a_stored_document_may_name_a_kpi_and_a_country_that_are_no_longer_known() -> None:
    body = json.loads(read_accord("maven").canonical())
    hours = [{"days": ["MONDAY"], "opens": "09:00", "closes": "17:00"}]
    body["calendars"] = [{"key": "yu", "title": "Yugoslavia", "hours": hours, "holidays": {"country": "YU"}}]
    body["targets"] = [{"kpi": "faxes_sent", "period": "1999", "value": "3"}]
    stored = read_document(json.dumps(body), FORMAT)
    assert stored.targets[0].kpi == "faxes_sent"
    with pytest.raises(AccordError) as caught:
        parse_accord(json.dumps(body), origin="new", form="JSON")
    assert "faxes_sent" in caught.value.message
    assert "'YU'" in caught.value.message


def test_a_stored_document_is_read_once() -> None:
    text = read_accord("olist").canonical()
    assert read_document(text, FORMAT) is read_document(text, FORMAT)


def test_a_stored_document_keeps_the_words_of_a_newer_release() -> None:
    body = json.loads(read_accord("maven").canonical())
    target = {"kpi": "deals_won", "period": "2027-Q1", "value": "3"}
    newer = ({"only": {"dimension": "MOOD", "value": "Good"}}, {"team": "PARTNERS"}, {"period": "2027-W05"})
    body["targets"] = [target, *(target | words for words in newer)]
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    stored = read_document(text, FORMAT)
    assert stored.canonical() == text
    assert [named for target in stored.targets for named in target.newer_words] == [
        "the dimension MOOD",
        "the team PARTNERS",
        "the period 2027-W05",
    ]
    with pytest.raises(InvalidAccordError) as caught:
        parse_accord(text, origin="new", form="JSON")
    assert [mistake.path for mistake in caught.value.mistakes] == [
        "targets[1] (deals_won).only.dimension",
        "targets[2] (deals_won).team",
        "targets[3] (deals_won).period",
    ]
    dimension, *_ = caught.value.mistakes
    assert dimension.message.startswith("'MOOD' is not one of LEAD_SOURCE, CHANNEL, CAMPAIGN, ")


def test_a_stored_word_that_is_no_text_is_a_mistake() -> None:
    body = json.loads(read_accord("maven").canonical())
    body["targets"] = [{"kpi": "mqls", "period": "2027-Q1", "value": "3", "team": 7}]
    with pytest.raises(AccordError, match="with content that this one cannot read"):
        read_document(json.dumps(body), FORMAT)
