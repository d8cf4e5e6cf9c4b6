"""The project's Python modules as text and syntax trees, and what the architecture tests measure in them."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).parents[2]
PACKAGES = ("api", "schema", "migrations")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One module."""

    path: Path
    top: Path = TOP

    @property
    def name(self) -> str:
        """The path below the top folder."""
        return self.path.relative_to(self.top).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.name)


def sources(*packages: str, top: Path = TOP) -> list[Source]:
    """Every module of the packages (api, schema and migrations by default)."""
    paths = (path for package in packages or PACKAGES for path in (top / package).rglob("*.py"))
    return [Source(path, top) for path in sorted(paths) if "node_modules" not in path.parts]


def modules_by_folder(modules: Iterable[Source]) -> Counter[str]:
    """The number of modules in each folder. `__init__.py` is the folder itself."""
    return Counter(Path(source.name).parent.as_posix() for source in modules if Path(source.name).name != "__init__.py")


def depth(source: Source) -> int:
    """The number of folders between the package and the module: 2 for api/graph/reading/limits.py."""
    return len(Path(source.name).parts) - 2


def functions(modules: Iterable[Source]) -> Iterator[tuple[str, int]]:
    """Every function with its length in lines, without its docstring."""
    for source in modules:
        for node in ast.walk(source.tree):
            if isinstance(node, Function):
                length = (node.end_lineno or node.lineno) - node.lineno + 1 - _docstring_lines(node)
                yield f"{source.name}:{node.lineno} {node.name}", length


def _docstring_lines(function: Function) -> int:
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is None or first.end_lineno is None:
        return 0
    return first.end_lineno - first.lineno + 1


def duplicate_class_names(modules: Iterable[Source]) -> dict[str, list[str]]:
    """The class names that are defined more than once, each with the modules that define it."""
    found: dict[str, list[str]] = {}
    for source in modules:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(source.name)
    return {name: places for name, places in sorted(found.items()) if len(places) > 1}


def docstrings_with(pattern: str, modules: Iterable[Source]) -> list[str]:
    """Where the docstring of a module, class or function matches the pattern."""
    found = []
    for source in modules:
        for node in ast.walk(source.tree):
            if isinstance(node, Function | ast.ClassDef | ast.Module):
                text = ast.get_docstring(node, clean=False)
                if text is not None and re.search(pattern, text, re.IGNORECASE):
                    found.append(f"{source.name}:{getattr(node, 'lineno', 1)}")
    return found


def loops_over(variable: str, modules: Iterable[Source]) -> list[str]:
    """Where a `for` statement or a comprehension has a loop variable of that name."""
    return [
        f"{source.name}:{node.target.lineno}"
        for source in modules
        for node in ast.walk(source.tree)
        if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension)
        and any(isinstance(name, ast.Name) and name.id == variable for name in ast.walk(node.target))
    ]
