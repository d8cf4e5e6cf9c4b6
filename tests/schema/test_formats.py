"""Formats of text columns: one spelling for equal values, and a reason for what is not of the format."""

import email_validator
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.countries import country_codes
from schema.formats import READERS, Format, read_country, read_domain, read_email, read_phone, read_timezone


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("ada@acme.example", "ada@acme.example"),
        ("  Ada.Byron@ACME.Example ", "ada.byron@acme.example"),
        ("Ada Byron <ada@acme.example>", "ada@acme.example"),
        ("<ada@acme.example>", "ada@acme.example"),
        ("mailto:Ada@acme.example", "ada@acme.example"),
        ("o'hara+news@acme.example", "o'hara+news@acme.example"),
        ("jürgen@straße.example", "jürgen@straße.example"),
    ],
)
def test_an_address_has_one_spelling(text: str, stored: str) -> None:
    assert read_email(text) == stored


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("#N/A", "must have an @-sign"),
        ("N/A", "must have an @-sign"),
        ("null", "must have an @-sign"),
        ("(No value)", "must have an @-sign"),
        ("-", "must have an @-sign"),
        ("ada@a.example; ada.b@a.example", "more than one"),
        ("ada@a.example,ada.b@a.example", "more than one"),
        ("ada@localhost", "not valid"),
        ("ada@acme.invalid", "special-use"),
        ("ada..b@acme.example", "two periods"),
        (f"{'a' * 65}@acme.example", "too long"),
        ("@acme.example", "something before"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_email(text)


@given(st.emails())
def test_the_quick_way_accepts_only_what_the_validator_accepts(address: str) -> None:
    try:
        judged = email_validator.validate_email(
            address.lower(), check_deliverability=False, strict=True
        ).normalized.lower()
    except email_validator.EmailNotValidError:
        with pytest.raises(ValueError, match="address"):
            read_email(address)
    else:
        assert read_email(address) == judged


@given(st.from_regex(r"\A[a-z0-9._%+-]{1,70}@[a-z0-9.-]{1,70}\.[a-z]{2,5}\Z"))
def test_the_quick_way_agrees_on_strange_addresses(address: str) -> None:
    try:
        judged = email_validator.validate_email(address, check_deliverability=False, strict=True).normalized.lower()
    except email_validator.EmailNotValidError:
        with pytest.raises(ValueError, match="address"):
            read_email(address)
    else:
        assert read_email(address) == judged


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("+49 (171) 123-4567", "+491711234567"),
        ("'0171 1234567", "01711234567"),
        ("0049 171 1234567", "+491711234567"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("(555) 010-0199 ext. 12", "5550100199x12"),
        ("555.010.0199 x7", "5550100199x7"),
        ("tel:+1-555-010-0199;ext=33", "+15550100199x33"),
        ("110", "110"),
    ],
)
def test_a_telephone_number_keeps_its_digits_and_plus(text: str, stored: str) -> None:
    assert read_phone(text) == stored


@pytest.mark.parametrize(
    "text", ["+4.91711E+11", "4,91711E+11", "4.91711e11", "n/a", "12", "#N/A", "1" * 16, "call me"]
)
def test_what_is_no_telephone_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="telephone number"):
        read_phone(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DE", "DE"),
        ("de", "DE"),
        ("DEU", "DE"),
        ("Germany", "DE"),
        ("Deutschland", "DE"),
        ("allemagne", "DE"),
        ("Alemania", "DE"),
        ("ALEMANHA", "DE"),
        ("Germania", "DE"),
        ("Duitsland", "DE"),
        ("United States", "US"),
        ("U.S.A.", "US"),
        ("Vereinigtes Königreich", "GB"),
        ("UK", "GB"),
        ("Österreich", "AT"),
        ("Osterreich", "AT"),
        ("Cote d'Ivoire", "CI"),
        ("Bosnia and Herzegovina", "BA"),
        ("Brasil", "BR"),
        ("Kosovo", "XK"),
    ],
)
def test_a_country_is_recognised_by_code_and_name(text: str, code: str) -> None:
    assert read_country(text) == code


@pytest.mark.parametrize("text", ["Atlantis", "Europe", "EU", "ZZ", "", "??"])
def test_what_is_no_country_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a country"):
        read_country(text)


@given(st.sampled_from(sorted(country_codes())))
def test_every_code_means_itself(code: str) -> None:
    assert read_country(code) == code


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("acme.example", "acme.example"),
        ("https://www.Acme.example/about?x=1", "acme.example"),
        ("WWW.ACME.EXAMPLE.", "acme.example"),
        ("http://user@acme.example:8080/", "acme.example"),
        ("straße.example", "straße.example"),
    ],
)
def test_a_domain_is_lower_case_and_without_www(text: str, stored: str) -> None:
    assert read_domain(text) == stored


@pytest.mark.parametrize("text", ["acme", "n/a", "-", "acme..example", "http://", "a b.example"])
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="domain"):
        read_domain(text)


def test_a_time_zone_has_its_own_spelling() -> None:
    assert read_timezone(" europe/berlin ") == "Europe/Berlin"
    assert read_timezone("america/new york") == "America/New_York"
    with pytest.raises(ValueError, match="IANA"):
        read_timezone("Berlin time")


@given(st.sampled_from(Format), st.text(max_size=40))
def test_a_stored_value_is_read_as_itself(form: Format, text: str) -> None:
    try:
        stored = READERS[form](text)
    except ValueError:
        return
    assert READERS[form](stored) == stored
