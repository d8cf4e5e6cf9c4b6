"""SQL as a value: bound values never become text, and parameters are numbered once."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.db import Database
from api.sql import Parameter, Sql, all_of, bound_values, converted, join, name

values = st.one_of(st.integers(), st.text(), st.none(), st.booleans())
# Text without placeholders, and without a leading digit, which could follow a placeholder directly.
texts_without_placeholders = st.text(alphabet=st.characters(exclude_characters="{}$")).filter(
    lambda text: not text[:1].isdecimal()
)


def fragment(texts: Sequence[str], bound: Sequence[object]) -> Sql:
    """Return a fragment with a placeholder after every text but the last."""
    return Sql("{}".join(texts[: len(bound) + 1]), *bound)


fragments = st.lists(values, max_size=4).flatmap(
    lambda bound: st.lists(texts_without_placeholders, min_size=len(bound) + 1, max_size=len(bound) + 1).map(
        lambda texts: fragment(texts, bound)
    )
)


@given(bound=st.lists(values, max_size=5), texts=st.lists(texts_without_placeholders, min_size=6, max_size=6))
def test_every_placeholder_takes_the_next_argument_and_the_text_is_unchanged(
    bound: list[object], texts: list[str]
) -> None:
    text, taken = fragment(texts, bound).render()
    assert taken == tuple(bound)
    assert re.split(r"\$\d+", text) == texts[: len(bound) + 1]
    assert re.findall(r"\$(\d+)", text) == [str(number) for number in range(1, len(bound) + 1)]


@given(value=st.text())
def test_a_value_never_becomes_text(value: str) -> None:
    assert Sql("select {}", value).render() == ("select $1", (value,))


@given(text=st.text())
def test_doubled_braces_become_single_braces(text: str) -> None:
    doubled = text.replace("{", "{{").replace("}", "}}")
    assert str(Sql(doubled)) == text


@given(inner=fragments, before=values, after=values)
def test_a_nested_fragment_binds_its_values_in_position(inner: Sql, before: object, after: object) -> None:
    _, within = inner.render()
    text, taken = Sql("a = {} and ({}) or b = {}", before, inner, after).render()
    assert taken == (before, *within, after)
    assert text.endswith(f"b = ${len(taken)}")


@given(inner=fragments)
def test_a_fragment_that_is_nested_twice_binds_its_values_once(inner: Sql) -> None:
    once, taken = inner.render()
    assert Sql("{} {}", inner, inner).render() == (f"{once} {once}", taken)


@pytest.mark.parametrize(
    "fragment_with_digit", [Sql("{}0", 1), Sql("{}{}", 1, Sql("0")), Sql("{}", 1) + Sql("") + Sql("0")]
)
def test_a_digit_directly_after_a_placeholder_is_rejected(fragment_with_digit: Sql) -> None:
    with pytest.raises(ValueError, match="digit directly after a placeholder"):
        fragment_with_digit.render()


def test_equal_values_that_are_bound_separately_are_separate_parameters() -> None:
    assert Sql("{} {}", 1, 1).render() == ("$1 $2", (1, 1))


@given(parts=st.lists(fragments, max_size=4))
def test_join_keeps_order_and_values(parts: list[Sql]) -> None:
    text, taken = join(", ", parts).render()
    assert taken == tuple(value for part in parts for value in part.render()[1])
    assert re.sub(r"\$\d+", "$", text) == ", ".join(re.sub(r"\$\d+", "$", str(part)) for part in parts)


@given(one=fragments, other=fragments)
def test_addition_appends_a_fragment(one: Sql, other: Sql) -> None:
    assert (one + other).render() == join("", (one, other)).render()


def test_conditions_are_parenthesised() -> None:
    assert str(all_of([Sql("a or b"), Sql("c = {}", 1)])) == "(a or b) and (c = $1)"
    assert str(all_of([])) == "true"


@pytest.mark.parametrize(("text", "arguments"), [("{}", ()), ("{} {}", (1,)), ("", (1,)), ("{{}}", (1,))])
def test_placeholders_and_arguments_must_be_equal_in_number(text: str, arguments: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match="than"):
        Sql(text, *arguments)


@given(identifier=st.from_regex(r"[A-Za-z_][A-Za-z0-9_$]{0,62}", fullmatch=True))
def test_a_plain_name_is_rendered_unchanged(identifier: str) -> None:
    assert name(identifier).render() == (identifier, ())


@given(identifier=st.text().filter(lambda text: not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]{0,62}", text)))
def test_a_name_that_needs_quoting_is_rejected(identifier: str) -> None:
    with pytest.raises(ValueError, match="not a plain SQL name"):
        name(identifier)


@pytest.mark.parametrize("identifier", ["", "a b", 'a"', "a;drop table deal", "1a", "a-b", "ä", "a\n", "x" * 64])
def test_malicious_and_malformed_names_are_rejected(identifier: str) -> None:
    with pytest.raises(ValueError, match="not a plain SQL name"):
        name(identifier)


async def test_postgresql_returns_bound_values_unchanged(module_database: Database) -> None:
    text = "'; drop table deal; -- {} $1 \\"
    async with module_database.read() as session:
        assert await session.value(Sql("select {}::text || {}::text", text, "!")) == f"{text}!"


def test_a_parameter_is_bound_and_converted_at_every_execution() -> None:
    words = converted(Parameter("text"), str.upper)
    _, values = Sql("{} {}", 1, converted(words, len)).render()
    assert bound_values(values, {"text": "straße"}) == [1, 7]
    assert bound_values(values, {"text": "ab"}) == [1, 2]
    with pytest.raises(KeyError):
        bound_values(values, {})


def test_a_constant_is_converted_immediately() -> None:
    assert converted("ab", len) == 2
