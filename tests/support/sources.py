"""The project's Python modules, as text and as syntax trees."""

import ast
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).parents[2]
PACKAGES = ("api", "schema", "migrations")


@dataclass(frozen=True)
class Source:
    """One module."""

    path: Path

    @property
    def name(self) -> str:
        """Its path from the top."""
        return self.path.relative_to(TOP).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.name)


def sources(*packages: str) -> list[Source]:
    """Every module of the packages (all three by default)."""
    found = (path for package in packages or PACKAGES for path in (TOP / package).rglob("*.py"))
    return [Source(path) for path in sorted(found) if "node_modules" not in path.parts]
