"""Tokens of API keys: their form, their checksum, and that their secret is shown nowhere but in the token itself."""

import string
import zlib

from hypothesis import given
from hypothesis import strategies as st

from api.access.credentials.tokens import Token, make_token, parse_token

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def test_a_token_has_an_id_a_secret_and_a_checksum_in_base_62() -> None:
    token = make_token()
    start, key_id, rest = token.text.split("_")
    assert (start, len(key_id), len(rest)) == ("accord", 16, 43 + 6)
    assert set(key_id + rest) <= set(BASE62)
    number = 0
    for digit in rest[43:]:
        number = number * 62 + BASE62.index(digit)
    assert number == zlib.crc32(token.text[:-6].encode())


def test_a_token_is_read_as_it_was_made_and_no_two_are_equal() -> None:
    tokens = [make_token() for _ in range(1_000)]
    assert [parse_token(token.text) for token in tokens] == tokens
    assert len({token.key_id for token in tokens}) == len({token.secret for token in tokens}) == 1_000


def test_every_bit_of_a_secret_is_random() -> None:
    numbers = []
    for _ in range(2_000):
        number = 0
        for digit in make_token().secret:
            number = number * 62 + BASE62.index(digit)
        numbers.append(number)
    for bit in range(256):
        assert 800 < sum(number >> bit & 1 for number in numbers) < 1_200
    assert max(numbers) < 2**256


@given(st.integers(0, len(make_token().text) - 1), st.characters(max_codepoint=0x2FF))
def test_a_token_with_another_character_is_no_token(position: int, character: str) -> None:
    text = make_token().text
    changed = text[:position] + character + text[position + 1 :]
    assert (parse_token(changed) is not None) == (changed == text)


@given(st.text())
def test_a_text_is_no_token(text: str) -> None:
    assert parse_token(text) is None
    assert parse_token(f"accord_{text}") is None


def test_the_stored_hash_matches_its_secret_alone() -> None:
    token, other = make_token(), make_token()
    assert token.matches(token.secret_hash)
    assert not token.matches(other.secret_hash)
    assert not Token(token.key_id, other.secret).matches(token.secret_hash)


def test_a_secret_is_not_in_the_representation_of_a_token() -> None:
    token = make_token()
    assert token.secret not in repr(token)
    assert token.secret not in f"{token}"
