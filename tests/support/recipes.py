"""The recipes of schema/README.md: read as steps, and followed literally in a copy of the source tree."""

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support.sources import TOP

README = TOP / "schema" / "README.md"
_RECIPE = re.compile(r"^### (?P<title>Add .*?)\n(?P<body>.*?)(?=^##)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_WHERE = re.compile(
    r"(?:in (?P<inside>\w+), )?(?P<how>add to the imports|at the end of class|instead of|before|after)"
    r"(?: `(?P<quoted>.+)`| (?P<name>\w+))?"
)
_PLACE = re.compile(r"# (?P<path>[\w/.]+): (?P<place>.+)\n")


@dataclass(frozen=True)
class Step:
    """One code block: the file, the place in it, and the code to put there."""

    path: str
    place: str
    code: str

    def apply(self, tree: Path) -> None:
        """Change the file; AssertionError if the place is not there, or there twice."""
        path = tree / self.path
        if self.place == "new file":
            assert not path.exists(), f"{self.path} exists already"
            path.write_text(self.code, encoding="utf-8")
            return
        text = path.read_text(encoding="utf-8")
        path.write_text(self._changed(text), encoding="utf-8")

    def _changed(self, text: str) -> str:
        found = _WHERE.fullmatch(self.place)
        assert found, f"{self.path}: not understood: {self.place}"
        match found.groupdict():
            case {"how": "add to the imports"}:
                return _inserted(text, _end_of_imports(text), self.code)
            case {"how": "at the end of class", "name": str(name)}:
                return _inserted(text, _lines_of(text, name)[1], self.code)
            case {"how": "instead of", "quoted": str(quoted), "inside": inside}:
                return _replaced(text, quoted, self.code.rstrip("\n"), inside)
            case {"how": "before" | "after" as how, "quoted": str(quoted), "inside": str(inside)}:
                line = _line_with(text, quoted, inside)
                return _inserted(text, line if how == "after" else line - 1, self.code)
            case {"how": "before", "name": str(name)}:
                return _inserted(text, _lines_of(text, name)[0] - 1, self.code.rstrip("\n") + "\n\n\n")
            case _:
                raise AssertionError(f"{self.path}: not understood: {self.place}")


@dataclass(frozen=True)
class Recipe:
    """One recipe: its steps in their order, and the commands to run then."""

    title: str
    steps: tuple[Step, ...]
    commands: tuple[tuple[str, ...], ...]

    def with_unused_names(self, names: tuple[str, ...], tree: Path) -> "Recipe":
        """The same recipe for names that the tree does not have: `seniority_2` once `seniority` was really added."""
        if not any(name in _text(tree / step.path) for step in self.steps for name in names):
            return self

        def renamed(text: str) -> str:
            for name in names:
                text = text.replace(name, unused(name))
            return text

        return Recipe(
            self.title,
            tuple(replace(step, path=renamed(step.path), code=renamed(step.code)) for step in self.steps),
            tuple(tuple(renamed(word) for word in command) for command in self.commands),
        )

    @property
    def tests(self) -> tuple[str, ...]:
        """The files and folders of tests that the recipe runs."""
        arguments = (word.removeprefix("ARGS=") for words in self.commands if words[0] == "test" for word in words[1:])
        return tuple(path for argument in arguments for path in argument.split())


def unused(name: str) -> str:
    """Another name of the same style: `seniority_2`, `SHARED_2`, `Competitor2`, `reportingCurrency2`."""
    return f"{name}_2" if name in (name.lower(), name.upper()) else f"{name}2"


def recipes() -> dict[str, Recipe]:
    """The recipes by their titles."""
    text = README.read_text(encoding="utf-8")
    return {found["title"]: _recipe(found["title"], found["body"]) for found in _RECIPE.finditer(text)}


def _recipe(title: str, body: str) -> Recipe:
    steps: list[Step] = []
    commands: list[tuple[str, ...]] = []
    for block in _BLOCK.finditer(body):
        if block["language"] == "sh":
            commands += list(_make_commands(block["text"]))
        else:
            place = _PLACE.match(block["text"])
            assert place, f"{title}: the first line of a block names the file and the place: {block['text']}"
            steps.append(Step(place["path"], place["place"], block["text"][place.end() :]))
    return Recipe(title, tuple(steps), tuple(commands))


def _make_commands(text: str) -> Iterator[tuple[str, ...]]:
    for line in text.splitlines():
        program, *words = shlex.split(line)
        assert program == "make", line
        yield tuple(words)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _inserted(text: str, line: int, code: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:line], code, *lines[line:]])


def _replaced(text: str, old: str, new: str, inside: str | None) -> str:
    if inside is None:
        assert old in text, f"there is no `{old}`"
        return text.replace(old, new)
    start, end = _lines_of(text, inside)
    lines = text.splitlines(keepends=True)
    part = "".join(lines[start - 1 : end])
    assert part.count(old) == 1, f"`{old}` is {part.count(old)} times in {inside}"
    return "".join([*lines[: start - 1], part.replace(old, new), *lines[end:]])


def _line_with(text: str, start: str, inside: str) -> int:
    """The number of the one line of a definition that begins with a text."""
    first, last = _lines_of(text, inside)
    lines = text.splitlines()
    found = [number for number in range(first, last + 1) if lines[number - 1].lstrip().startswith(start)]
    assert len(found) == 1, f"`{start}` begins {len(found)} lines of {inside}"
    return found[0]


def _end_of_imports(text: str) -> int:
    return max(
        node.end_lineno or node.lineno for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom)
    )


def _lines_of(text: str, name: str) -> tuple[int, int]:
    """The first and last line of the class, function or variable of that name, methods included."""
    found = [
        (min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))]), node.end_lineno)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Assign | ast.AnnAssign)
        and name in _defined(node)
    ]
    assert len(found) == 1, f"{name} is defined {len(found)} times"
    first, last = found[0]
    return first, last or first


def _defined(node: ast.stmt) -> set[str]:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return {name}
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case _:
            return set()
