"""Answers held equal, but for cursors, which are opaque."""

from dataclasses import dataclass, field


def same(found: object, expected: object) -> None:
    """Hold an answer to the expected one, keys in order too; of cursors only which are the same."""
    _Cursors().hold(found, expected)


@dataclass(frozen=True)
class _Cursors:
    """Which cursor stands for which stand-in."""

    known: dict[str, object] = field(default_factory=dict)
    rows: dict[tuple[object, object], str] = field(default_factory=dict)

    def hold(self, found: object, expected: object) -> None:
        match expected:
            case dict():
                assert isinstance(found, dict)
                assert list(found) == list(expected)
                for key, value in expected.items():
                    self.hold(found[key], value)
            case list():
                assert isinstance(found, list)
                assert len(found) == len(expected)
                for one, other in zip(found, expected, strict=True):
                    self.hold(one, other)
            case str() if expected.startswith("cursor of "):
                page, _, _ = expected.partition(":")
                assert isinstance(found, str)
                assert self.known.setdefault(expected, found) == found
                assert self.rows.setdefault((page, found), expected) == expected
            case _:
                assert found == expected
                assert type(found) is type(expected)
