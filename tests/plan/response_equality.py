"""Equality of responses, except for cursors: a cursor is opaque, so it is compared by the row that it stands for."""

from dataclasses import dataclass, field


def assert_same_response(found: object, expected: object) -> None:
    """Assert that a response equals the expected one of the oracle, with keys in the same order.

    The oracle has a stand-in for every cursor. Within a response, equal stand-ins need equal cursors, and different
    stand-ins of one page need different cursors.
    """
    _CursorMatching().assert_same(found, expected)


@dataclass(frozen=True)
class _CursorMatching:
    """The cursors found so far, by stand-in; and the stand-ins, by page and cursor."""

    cursors: dict[str, object] = field(default_factory=dict)
    stand_ins: dict[tuple[object, object], str] = field(default_factory=dict)

    def assert_same(self, found: object, expected: object) -> None:
        match expected:
            case dict():
                assert isinstance(found, dict)
                assert list(found) == list(expected)
                for key, value in expected.items():
                    self.assert_same(found[key], value)
            case list():
                assert isinstance(found, list)
                assert len(found) == len(expected)
                for one, other in zip(found, expected, strict=True):
                    self.assert_same(one, other)
            case str() if expected.startswith("cursor of "):
                page, _, _ = expected.partition(":")
                assert isinstance(found, str)
                assert self.cursors.setdefault(expected, found) == found
                assert self.stand_ins.setdefault((page, found), expected) == expected
            case float():
                assert isinstance(found, int | float)  # JSON has one type of numbers: 3 and 3.0 are the same
                assert found == expected
            case _:
                assert found == expected
                assert type(found) is type(expected)
