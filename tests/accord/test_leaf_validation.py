"""Rules that mean nothing are rejected: the error names the key, and what it should be."""

import pytest
from pydantic import TypeAdapter

from api.accord.documents import parse_accord
from api.errors import AccordError, ErrorCode
from schema.clauses.rules import Rule, leaves, stage_read
from tests.accord.test_sentences import TOML

RULE: TypeAdapter[Rule] = TypeAdapter(Rule)
# A rule of the second stage, and what the error message must contain.
INVALID = [
    ("{ score = { terms = [{ points = 0 }], at_least = 5 } }", "score.terms[0].points: 0 points change no score"),
    ("{ score = { terms = [{ points = -5 }], at_least = 5 } }", "score: no term adds points"),
    ("{ score = { terms = [], at_least = 5 } }", "score.terms: must not be empty"),
    ("{ score = { terms = [{ points = 5 }], at_least = 0 } }", "score.at_least: '0' must be above 0"),
    ("{ score = { terms = [{ points = 5.125 }], at_least = 5 } }", "'5.125' is above 1,000,000, or has more than 2"),
    ('{ score = { terms = [{ points = 5, kind = "FROM" }], at_least = 5 } }', "'FROM' is not one of AD_CLICK"),
    ('{ score = { terms = [{ points = 5, within = "1 d" }], at_least = 5 } }', "within: there is no such key"),
    ('{ score = { terms = [{ points = 5 }], at_least = 5, half_life = "0 d" } }', "half_life: a duration must be"),
    ('{ silence = "0 days" }', "silence: a duration must be a whole number of seconds, more than 0"),
    ("{ silence = 30 }", "silence: '30' is not a duration"),
    ('{ reported = { source = "Hub Spot", stage = "lead" } }', "reported.source: 'Hub Spot' must match"),
    ('{ reported = { source = "hubspot", stage = [] } }', "reported.stage: must not be empty"),
    ('{ reported = { source = "hubspot", stage = ["lead", "lead"] } }', "reported.stage: 'lead' is listed twice"),
    ('{ reported = { source = "hubspot", stage = [""] } }', "reported.stage[0]: must not be empty"),
    ('{ touches = { after = "next" } }', "rule.touches.after: 'next' is not a stage below this one; lower stages: mql"),
    (
        '{ not = { handoff = "ACCEPTED", after = "sql" } }',
        "rule.not.after: 'sql' is not a stage below this one; lower stages: mql",
    ),
]


@pytest.mark.parametrize(("rule", "expected"), INVALID)
def test_a_rule_that_means_nothing_is_rejected(rule: str, expected: str) -> None:
    with pytest.raises(AccordError) as caught:
        parse_accord(TOML % rule, origin="ours.toml")
    assert caught.value.code is ErrorCode.BAD_ACCORD
    assert expected in caught.value.message


@pytest.mark.parametrize(
    ("rule", "same"),
    [
        (
            '{ reported = { source = "hubspot", stage = "lead" } }',
            '{ reported = { stage = ["lead"], source = "hubspot" } }',
        ),
        (
            '{ score = { terms = [{ points = 5.0, kind = "FORM" }], at_least = 1e1, half_life = "1 week" } }',
            '{ score = { half_life = "7 d", at_least = "10.00", terms = [{ kind = ["FORM"], points = 5 }] } }',
        ),
        ('{ silence = "1 week" }', '{ silence = "168 hours" }'),
        ('{ touches = { after = "mql" } }', '{ touches = { at_least = 1, after = "mql" } }'),
    ],
)
def test_equal_rules_have_one_hash(rule: str, same: str) -> None:
    one, other = (parse_accord(TOML % text, origin="ours.toml") for text in (rule, same))
    assert one.content_hash() == other.content_hash()


def test_a_key_that_is_left_out_is_in_no_canonical_text() -> None:
    accord = parse_accord(TOML % '{ all = [{ handoff = "ACCEPTED" }, { touches = {} }] }', origin="ours.toml")
    assert "after" not in accord.canonical()


def test_the_stage_that_a_leaf_reads_is_that_of_stage_and_after() -> None:
    rule = RULE.validate_python(
        {
            "all": [
                {"stage": "a"},
                {"handoff": "ACCEPTED", "after": "b"},
                {"not": {"touches": {"after": "c"}}},
                {"handoff": "ACCEPTED"},
                {"touches": {}},
                {"silence": "1 day"},
            ]
        }
    )
    assert [stage_read(leaf) for leaf in leaves(rule)] == ["a", "b", "c", None, None, None]
