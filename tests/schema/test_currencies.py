"""Currencies are those of ISO 4217, and the withdrawn ones that data still has."""

import pycountry
import pytest

from schema.vocab import Currency


def test_every_currency_of_the_standard_has_a_name() -> None:
    listed = {currency.alpha_3 for currency in pycountry.currencies}
    assert listed - set(Currency) == {"XTS", "XXX"}
    assert all(currency.doc.endswith(".") and len(currency.doc) > 4 for currency in Currency)
    assert Currency.EUR.doc == "Euro."


@pytest.mark.parametrize("code", ["BGN", "HRK", "LTL", "DEM", "ZWL"])
def test_withdrawn_currencies_stay_and_say_so(code: str) -> None:
    assert Currency[code].doc.endswith("(withdrawn).")
