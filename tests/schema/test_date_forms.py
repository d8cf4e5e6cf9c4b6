"""Forms of dates: the named ones, and formats that are read as strptime reads them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.date_forms import form_reader

FORMATS = (
    "%Y-%m-%d",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M %p",
    "%d.%m.%Y %H:%M",
    "%Y%m%d",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%m/%d/%Y %I:%M:%S%p %z",
)
INSTANTS = st.datetimes(
    min_value=datetime(1000, 1, 1),  # noqa: DTZ001 - the zone is drawn
    timezones=st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours))),
)


@given(INSTANTS, st.sampled_from(FORMATS))
def test_what_a_format_wrote_is_read_as_strptime_reads_it(instant: datetime, form: str) -> None:
    text = instant.strftime(form)
    assert form_reader(form)(text) == datetime.strptime(text, form)  # noqa: DTZ007 - as the form has it


@given(st.text("0123456789/ :-", max_size=12), st.sampled_from(FORMATS))
def test_a_format_reads_nothing_that_strptime_refuses(text: str, form: str) -> None:
    def read(reader: object) -> object:
        assert callable(reader)
        try:
            return reader(text)
        except ValueError:
            return None

    assert read(form_reader(form)) == read(lambda cell: datetime.strptime(cell, form))  # noqa: DTZ007


@pytest.mark.parametrize(
    ("form", "text", "instant"),
    [
        ("epoch", "1767344400", datetime(2026, 1, 2, 9, tzinfo=UTC)),
        ("epoch-ms", "1767344400123", datetime(2026, 1, 2, 9, 0, 0, 123_000, tzinfo=UTC)),
        ("epoch-us", "1767344400123456", datetime(2026, 1, 2, 9, 0, 0, 123_456, tzinfo=UTC)),
        ("excel", "46024.375", datetime(2026, 1, 2, 9)),  # noqa: DTZ001 - Excel knows no zone
        ("iso", "2026-01-02 09:00:00.1234567 UTC", datetime(2026, 1, 2, 9, 0, 0, 123_456, tzinfo=UTC)),
        ("%m/%d/%Y %I:%M %p", "12/31/2025 11:30 PM", datetime(2025, 12, 31, 23, 30)),  # noqa: DTZ001
        ("%m/%d/%Y %I:%M %p", "12/31/2025 12:30 a. m.", datetime(2025, 12, 31, 0, 30)),  # noqa: DTZ001
        ("%d/%m/%Y %H:%M %z", "02/01/2026 09:00 UTC", datetime(2026, 1, 2, 9, tzinfo=UTC)),
        ("%d %b %Y %H:%M %z", "02 Jan 2026 09:00 GMT", datetime(2026, 1, 2, 9, tzinfo=UTC)),
        ("%d %b %Y %H:%M:%S.%f", "02 Jan 2026 09:00:00.9999999", datetime(2026, 1, 2, 9, 0, 0, 999_999)),  # noqa: DTZ001
        ("%Y-%m-%d %H:%M:%S.%f", "2026-01-02 09:00:00.999999999", datetime(2026, 1, 2, 9, 0, 0, 999_999)),  # noqa: DTZ001
    ],
)
def test_every_form_of_exporters_is_read(form: str, text: str, instant: datetime) -> None:
    found = form_reader(form)(text)
    assert (found, found.tzinfo is None) == (instant, instant.tzinfo is None)
