"""The reference page of presets is generated from the models, complete, and its examples are valid."""

import tomllib

import pytest
from pydantic.fields import FieldInfo

from api.importers import preset_reference
from api.importers.mapping import FileMap, RecordMap
from api.importers.preset import Preset, parse_preset
from api.importers.preset_reference import PAGE, SHORT_PRESET, reference_page, toml_examples
from api.importers.value_reading import Lookup, PresetModel, ValueReading

MODELS: tuple[type[PresetModel], ...] = (Preset, FileMap, RecordMap, ValueReading, Lookup)
KEYS = [(model, name, field) for model in MODELS for name, field in model.model_fields.items()]


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text("utf-8") == reference_page(), "run `python -m api.importers.preset_reference --write`"


def test_a_changed_description_makes_the_page_stale(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["preset_reference", "--check"])
    assert preset_reference.main() == 0
    monkeypatch.setattr(Preset.model_fields["title"], "description", "Another description.")
    assert preset_reference.main() == 1
    assert "--write" in capsys.readouterr().err


def test_the_short_preset_of_the_page_is_valid() -> None:
    assert [file.name for file in parse_preset(SHORT_PRESET, origin="the page").files] == ["people.csv", "calls.csv"]


@pytest.mark.parametrize(("model", "name", "field"), KEYS, ids=[f"{model.__name__}.{name}" for model, name, _ in KEYS])
def test_every_key_has_a_description_and_an_example_that_shows_it(
    model: type[PresetModel], name: str, field: FieldInfo
) -> None:
    key = field.alias or name
    assert f"### `{key}`" in reference_page()
    assert field.description is not None
    assert field.description.endswith(".")
    examples = toml_examples(field)
    assert examples
    assert all(key in keys_of(tomllib.loads(example)) for example in examples)
    if model is ValueReading:
        for example in examples:
            for reading in tomllib.loads(example).values():
                ValueReading.model_validate(reading if isinstance(reading, dict) else {"column": reading})


def keys_of(value: object) -> set[str]:
    """The keys of a TOML value, at any depth."""
    if isinstance(value, dict):
        return {*value, *(key for inner in value.values() for key in keys_of(inner))}
    return {key for inner in value for key in keys_of(inner)} if isinstance(value, list) else set()
