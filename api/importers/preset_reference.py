"""Generates the reference page of presets from the descriptions and examples of its models.

python -m api.importers.preset_reference --write     write presets/README.md
python -m api.importers.preset_reference --check     exit with 1 if the page is stale
"""

import argparse
import inspect
import json
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from api.importers.mapping import FileMap, RecordMap
from api.importers.preset import Preset
from api.importers.value_reading import Lookup, PresetModel, TomlType, ValueReading

PAGE = Path(__file__).with_name("presets") / "README.md"
_SECTIONS: tuple[tuple[str, type[PresetModel]], ...] = (
    ("The preset", Preset),
    ("A file: `[[files]]`", FileMap),
    ("A record: `[[files.records]]`", RecordMap),
    ("A reading", ValueReading),
    ("A lookup", Lookup),
)
SHORT_PRESET = """title = "Our CRM: people and calls"
source = "our_crm"
accord = "standard"
zone = "Europe/Berlin"

[[files]]
name = "people.csv"
key = "id"
dates = { created = "%d/%m/%Y" }

[[files.records]]
table = "contact"
begins = "created"
fields = { first_name = "first", last_name = "last", email = "mail" }

[[files]]
name = "calls.csv"
key = "id"
forms = "%Y-%m-%d %H:%M"

[[files.records]]
table = "touchpoint"
[files.records.fields]
contact = "person_id"
occurred_at = "at"
kind = { constant = "CALL" }
direction = { constant = "OUTBOUND" }
outcome = { column = "result", words = { ok = "CONNECTED", "no answer" = "NO_ANSWER" }, others = "unknown" }
"""
_HEAD = f"""# Presets: every key

<!-- Generated from the models in api/importers by `python -m api.importers.preset_reference --write`. Do not edit. -->

A preset is a TOML document that describes the files of a source and the records that their rows mean. The presets in
this folder are complete examples; `accord import csv FILE --suggest` writes one for a file of your own. Import a folder
with it by `accord import FILE.toml DIR`, or one file by `accord import csv FILE --preset FILE.toml`; with `--dry-run`
nothing is written. A preset that recognises its files by their columns (`signs`) takes a folder or one file:
`accord import hubspot-export PATH`. An unknown key is an error. The error for an unknown table or field lists those
that exist.

A short preset for two files:

```toml
{SHORT_PRESET}```"""
_TYPE_NAMES: dict[object, str] = {
    str: "text",
    bool: "true or false",
    int: "whole number",
    Decimal: "number",
    date: "date",
    ValueReading: "reading",
    Lookup: "lookup",
    FileMap: "file",
    RecordMap: "record",
}


def reference_page() -> str:
    """Return the page: for every model its keys, each with type, default, description and examples."""
    parts = [_HEAD]
    for title, model in _SECTIONS:
        parts += [f"## {title}", inspect.cleandoc(model.__doc__ or "")]
        parts += [_key(name, field) for name, field in model.model_fields.items()]
    return "\n\n".join(parts) + "\n"


def toml_examples(field: FieldInfo) -> list[str]:
    """Return the examples of a key, as TOML."""
    return [str(example) for example in field.examples or ()]


def _key(name: str, field: FieldInfo) -> str:
    necessity = "required" if field.is_required() else _default(field)
    kind = type_name(field.annotation, tuple(field.metadata))
    examples = "\n\n".join(f"```toml\n{example}\n```" for example in toml_examples(field))
    return f"### `{field.alias or name}`\n\n*{kind}; {necessity}.* {field.description}\n\n{examples}"


def _default(field: FieldInfo) -> str:
    if field.default in (None, (), {}):
        return "optional"
    return f"default `{json.dumps(field.default)}`"


def type_name(annotation: object, metadata: tuple[object, ...] = ()) -> str:
    """Return what TOML value a key takes, in words. A `TomlType` in the annotation decides; else its Python type."""
    named = next((mark.name for mark in metadata if isinstance(mark, TomlType)), None)
    if named is not None:
        return named
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_name(arguments[0], arguments[1:])
    if origin in (Union, UnionType):
        return ", or ".join(type_name(one) for one in arguments if one is not NoneType)
    if origin is Literal:
        return " or ".join(f'`"{value}"`' for value in arguments)
    if origin is dict:
        return f"table: name = {type_name(arguments[1])}"
    if origin is tuple:
        return f"list of {type_name(arguments[0])}s"
    return _TYPE_NAMES[annotation]


def main() -> int:
    """Write the page, or check it; the exit code."""
    parser = argparse.ArgumentParser(description="The reference page of presets.")
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--write", action="store_true", help="write the page")
    choice.add_argument("--check", action="store_true", help="exit with 1 if the page is stale")
    page = reference_page()
    if parser.parse_args().write:
        PAGE.write_text(page, "utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text("utf-8") == page:
        return 0
    sys.stderr.write(f"{PAGE} is stale: write it with `python -m api.importers.preset_reference --write`.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
