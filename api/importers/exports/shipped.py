"""Finds the shipped preset for a header: the one that reads it, or that would if one more column were exported."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.importers.exports.headings import find_columns, missing_signs
from api.importers.mapping import FileMap
from api.importers.preset import Preset, preset_names, read_preset

_FEWEST_COLUMNS = 5  # fewer familiar columns, such as an id, two names and an e-mail address, may be of any system


@dataclass(frozen=True, slots=True)
class ShippedPreset:
    """A preset that ships with Accord, the kind of its files that a header has, and the columns that it still lacks."""

    name: str
    title: str
    kind: str
    lacking: tuple[str, ...]

    def advice(self, file: str) -> str:
        """Return a sentence on how to import the file with it. `file` is its path, quoted for a shell."""
        start = f"The columns look like the {self.kind} of: {self.title}."
        command = f"accord import {self.name} {file}"
        if self.lacking:
            columns = ", ".join(self.lacking)
            return f"{start} Export them with {columns} too, and a shipped preset reads them: {command}"
        return f"{start} A shipped preset reads them: {command}"


def find_shipped_preset(header: Sequence[str]) -> ShippedPreset | None:
    """Return the shipped preset that reads the header, else one that lacks a single column of several; None if none.

    Headings must be written as the source writes them: other systems have some of them with other capitals.
    """
    best: tuple[tuple[int, int, int], ShippedPreset] | None = None
    for name in preset_names():
        preset = read_preset(name)
        for file in preset.files if preset.is_recognised else ():
            rated = _rate(preset, name, file, header)
            if rated is not None and (best is None or rated[0] > best[0]):
                best = rated
    return None if best is None else best[1]


def _rate(
    preset: Preset, name: str, file: FileMap, header: Sequence[str]
) -> tuple[tuple[int, int, int], ShippedPreset] | None:
    """How well a file of a preset fits: whole before lacking, then by signs, then by columns. None if it does not."""
    lacking = missing_signs(file, header)
    found = {column: heading for column, heading in find_columns(file, header).items() if heading}
    spelled = [column for column, heading in found.items() if _is_spelled_alike(file, column, heading)]
    if any(sign in found and sign not in spelled for sign in file.signs):
        return None
    is_whole = not lacking and len(set(found.values())) >= _FEWEST_COLUMNS - 1
    is_near = len(lacking) == 1 and len(file.signs) > 3
    if not is_whole and not is_near:
        return None
    shipped = ShippedPreset(name, preset.title, file.name, lacking)
    return (int(not lacking), len(file.signs), len(spelled)), shipped


def _is_spelled_alike(file: FileMap, column: str, heading: str) -> bool:
    """Whether the capitals agree, the first letters of later words apart: HubSpot has "Deal Name" and "Deal name"."""
    spellings = (column, *file.headings.get(column, ()))
    return any("*" in spelling or _initial(spelling) == _initial(heading) for spelling in spellings)


def _initial(text: str) -> tuple[str, ...]:
    first, *others = text.split()
    return (first, *(word if word.isupper() else word[:1].casefold() + word[1:] for word in others))
