"""SQL as a value: what is bound never becomes text, and parameters are numbered once."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.db import Database
from api.sql import Sql, all_of, join, name

values = st.one_of(st.integers(), st.text(), st.none(), st.booleans())
# Text with no marks of its own, and no digit that would stand right behind one.
plain = st.text(alphabet=st.characters(exclude_characters="{}$")).filter(lambda text: not text[:1].isdecimal())


def fragment(texts: Sequence[str], bound: Sequence[object]) -> Sql:
    """A fragment with a mark behind each text but the last."""
    return Sql("{}".join(texts[: len(bound) + 1]), *bound)


fragments = st.lists(values, max_size=4).flatmap(
    lambda bound: st.lists(plain, min_size=len(bound) + 1, max_size=len(bound) + 1).map(
        lambda texts: fragment(texts, bound)
    )
)


@given(bound=st.lists(values, max_size=5), texts=st.lists(plain, min_size=6, max_size=6))
def test_each_mark_takes_the_next_argument_and_the_text_stays(bound: list[object], texts: list[str]) -> None:
    text, taken = fragment(texts, bound).render()
    assert taken == tuple(bound)
    assert re.split(r"\$\d+", text) == texts[: len(bound) + 1]
    assert re.findall(r"\$(\d+)", text) == [str(place) for place in range(1, len(bound) + 1)]


@given(value=st.text())
def test_a_value_never_becomes_text(value: str) -> None:
    assert Sql("select {}", value).render() == ("select $1", (value,))


@given(text=st.text())
def test_doubled_braces_are_braces(text: str) -> None:
    doubled = text.replace("{", "{{").replace("}", "}}")
    assert str(Sql(doubled)) == text


@given(inner=fragments, before=values, after=values)
def test_a_spliced_fragment_brings_its_values_to_its_place(inner: Sql, before: object, after: object) -> None:
    _, within = inner.render()
    text, taken = Sql("a = {} and ({}) or b = {}", before, inner, after).render()
    assert taken == (before, *within, after)
    assert text.endswith(f"b = ${len(taken)}")


@given(inner=fragments)
def test_a_fragment_spliced_in_twice_binds_once(inner: Sql) -> None:
    once, taken = inner.render()
    assert Sql("{} {}", inner, inner).render() == (f"{once} {once}", taken)


@pytest.mark.parametrize("sly", [Sql("{}0", 1), Sql("{}{}", 1, Sql("0")), Sql("{}", 1) + Sql("") + Sql("0")])
def test_no_digit_gets_into_the_number_of_a_parameter(sly: Sql) -> None:
    with pytest.raises(ValueError, match="digit right behind a mark"):
        sly.render()


def test_equal_values_bound_apart_stay_apart() -> None:
    assert Sql("{} {}", 1, 1).render() == ("$1 $2", (1, 1))


@given(parts=st.lists(fragments, max_size=4))
def test_joining_keeps_order_and_values(parts: list[Sql]) -> None:
    text, taken = join(", ", parts).render()
    assert taken == tuple(value for part in parts for value in part.render()[1])
    assert re.sub(r"\$\d+", "$", text) == ", ".join(re.sub(r"\$\d+", "$", str(part)) for part in parts)


@given(one=fragments, other=fragments)
def test_adding_puts_one_behind_the_other(one: Sql, other: Sql) -> None:
    assert (one + other).render() == join("", (one, other)).render()


def test_conditions_are_kept_apart_by_parentheses() -> None:
    assert str(all_of([Sql("a or b"), Sql("c = {}", 1)])) == "(a or b) and (c = $1)"
    assert str(all_of([])) == "true"


@pytest.mark.parametrize(("text", "arguments"), [("{}", ()), ("{} {}", (1,)), ("", (1,)), ("{{}}", (1,))])
def test_marks_and_arguments_must_match(text: str, arguments: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match="than"):
        Sql(text, *arguments)


@given(identifier=st.from_regex(r"[A-Za-z_][A-Za-z0-9_$]{0,62}", fullmatch=True))
def test_a_plain_name_is_itself(identifier: str) -> None:
    assert name(identifier).render() == (identifier, ())


@given(identifier=st.text().filter(lambda text: not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]{0,62}", text)))
def test_a_name_that_would_need_quoting_is_refused(identifier: str) -> None:
    with pytest.raises(ValueError, match="no plain SQL name"):
        name(identifier)


@pytest.mark.parametrize("identifier", ["", "a b", 'a"', "a;drop table deal", "1a", "a-b", "ä", "a\n", "x" * 64])
def test_names_that_would_hurt_are_refused(identifier: str) -> None:
    with pytest.raises(ValueError, match="no plain SQL name"):
        name(identifier)


async def test_postgresql_gives_back_what_was_bound(module_database: Database) -> None:
    sly = "'; drop table deal; -- {} $1 \\"
    async with module_database.read() as session:
        assert await session.value(Sql("select {}::text || {}::text", sly, "!")) == f"{sly}!"
