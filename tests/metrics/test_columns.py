"""The columns of a statement are declared twice, as aggregates and as returned values, and the two agree."""

from dataclasses import fields

from api.metrics.columns import Aggregates, Measured


def test_every_measure_has_an_aggregate_and_a_returned_value() -> None:
    assert {field.name for field in fields(Aggregates)} == {field.name for field in fields(Measured)}
