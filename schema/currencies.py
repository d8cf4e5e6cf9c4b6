"""Currencies: ISO 4217 codes with their English names.

Source: pycountry for the codes in use, Babel (Unicode CLDR) for the names.
"""

import pycountry
from babel import Locale

# Withdrawn since about 2000, so that CRMs and ledgers still hold amounts in them.
_WITHDRAWN = """
ANG ATS AZM BEF BGN BYR CUC CYP DEM EEK ESP FIM FRF GHC GRD HRK IEP ITL LTL LUF LVL MGF MRO MTL MZM NLG PTE ROL RUR
SDD SIT SKK SLL SRG STD TMM TRL VEB VEF ZMK ZWD ZWL
"""
_NO_CURRENCY = frozenset({"XTS", "XXX"})  # by the standard: a code for tests, and "no currency involved"


def _currencies() -> dict[str, str]:
    in_use = {currency.alpha_3: currency.name for currency in pycountry.currencies}
    names = Locale("en").currencies
    withdrawn = {code: f"{names[code]} (withdrawn)." for code in _WITHDRAWN.split() if code not in in_use}
    listed = {code: f"{names.get(code, name)}." for code, name in in_use.items() if code not in _NO_CURRENCY}
    return dict(sorted((listed | withdrawn).items()))


CURRENCIES: dict[str, str] = _currencies()
