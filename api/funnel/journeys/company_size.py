"""The size band of a company in SQL, for journeys and for KPIs over facts."""

from schema.kpis.company_sizes import COMPANY_SIZES

_VALUES = ", ".join(f"'{size.value}'" for size in COMPANY_SIZES)
_LEAST = ", ".join(str(size.least) for size in COMPANY_SIZES)


def size_of(employees: str) -> str:
    """Return the expression for the band of a number of employees; null for a number that is unknown or below 1."""
    return f"(array[{_VALUES}])[width_bucket({employees}, array[{_LEAST}])]"
