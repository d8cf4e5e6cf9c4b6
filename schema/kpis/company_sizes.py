"""The bands of companies' sizes, by the number of employees, from the smallest up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CompanySize:
    """A band: its value in answers and filters, its label, and the smallest number of employees in it."""

    value: str
    label: str
    least: int


_DASH = "\u2013"  # as it is printed between two numbers
COMPANY_SIZES = (
    CompanySize("1-10", f"1{_DASH}10", 1),
    CompanySize("11-50", f"11{_DASH}50", 11),
    CompanySize("51-250", f"51{_DASH}250", 51),
    CompanySize("251-1000", f"251{_DASH}1,000", 251),
    CompanySize("1001+", "above 1,000", 1001),
)


def company_size(value: str) -> CompanySize | None:
    """Return the band with a value or label, whatever its dash and commas; None if there is none."""
    text = _plain(value.strip())
    return next((size for size in COMPANY_SIZES if text in (size.value, _plain(size.label))), None)


def _plain(text: str) -> str:
    return text.casefold().replace(_DASH, "-").replace(",", "")
