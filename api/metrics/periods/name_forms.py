"""The names of periods, as documentation, help and errors list them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NameForm:
    """Examples of one form of names, and the days that they mean."""

    examples: tuple[str, ...]
    meaning: str


NAME_FORMS = (
    NameForm(("2026", "2026-Q1", "2026-03", "2026-03-14"), "a calendar year, quarter, month or day"),
    NameForm(("2026-W10",), "an ISO week, where the accord's weeks begin on Monday"),
    NameForm(
        ("today", "this-week", "this-month", "this-quarter", "this-year"),
        "the whole day, week … that has the day of `asOf`, including the days to come",
    ),
    NameForm(("week-to-date", "month-to-date", "quarter-to-date", "year-to-date"), "its days up to that of `asOf`"),
    NameForm(("yesterday", "last-week", "last-month", "last-quarter", "last-year"), "the whole one before it"),
    NameForm(("last-90-days", "last-4-quarters"), "as many whole calendar units before the present one"),
    NameForm(
        ("trailing-90-days", "trailing-4-weeks", "trailing-12-months"),
        "as many days, weeks of 7 days, or months (also quarters, years) back from today, without today",
    ),
    NameForm(
        ("same-day-last-year", "same-week-last-year", "same-month-last-year", "same-quarter-last-year"),
        "the present one a year ago; of weeks, the one 52 weeks ago",
    ),
    NameForm(("FY2026", "FY2026-Q1"), "a fiscal year of the accord, or a quarter of it"),
    NameForm(
        ("this-fiscal-quarter", "fiscal-year-to-date", "last-fiscal-year", "same-fiscal-quarter-last-year"),
        "as above, of the accord's fiscal quarters and years",
    ),
)
COMMON_NAMES = (
    *("2026", "2026-Q1", "2026-03", "2026-W10", "2026-03-14", "today", "yesterday", "this-quarter", "last-quarter"),
    *("quarter-to-date", "same-quarter-last-year", "last-90-days", "trailing-12-months", "FY2026", "FY2026-Q1"),
    "this-fiscal-quarter",
)
_LISTED = f"{', '.join(COMMON_NAMES)} (likewise of days, weeks, months, years and fiscal years)"
HOW_TO_NAME = f"Write a name like {_LISTED}, or give a range of two dates."
OPTION_HELP = (
    f"{_LISTED}, or FROM..BEFORE (2026-01-01..2026-04-01); default: all history. last-quarter is the whole one before"
    " the present."
)


def forms_in_markdown() -> str:
    """All forms as a Markdown list."""
    return "\n".join(
        f"- {', '.join(f'`{example}`' for example in form.examples)}: {form.meaning}." for form in NAME_FORMS
    )
