"""What to know about the document of a version before it is signed: what it takes away that something still names."""

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from api.db import Session
from api.sql import Sql
from schema.accord import Accord
from schema.kpis import CATALOGUE


async def document_warnings(session: Session, document: Accord, replaced: Accord) -> tuple[str, ...]:
    """Return what to know about a document that would replace another one: stages that it drops, and what names them.

    Shapes: two documents -> sentences; one query for each dropped stage.
    """
    kept = {stage.key for stage in document.stages}
    sentences: list[str] = []
    for stage in replaced.stages:
        if stage.key not in kept:
            sentences.append(f"The stage {stage.key} is dropped.")
            sentences += _kpis_naming(stage.key)
            sentences += await _sources_naming(session, stage.key)
            sentences += await _presets_naming(session, stage.key)
    return tuple(sentences)


def _kpis_naming(stage: str) -> Iterator[str]:
    keys = [key for key, kpi in CATALOGUE.items() if f"stage {stage}" in kpi.measure.reads]
    if keys:
        yield f"The stage {stage} is read by the KPIs {', '.join(keys)}: they answer an error without it."


async def _sources_naming(session: Session, stage: str) -> list[str]:
    rows = await session.rows(
        Sql(
            "select source, source_stage, count(distinct contact_id) as people from reported_stage where stage = {}"
            " group by source, source_stage order by source, source_stage",
            stage,
        )
    )
    return [
        f"{row['source']} reports {row['people']:,} people in '{row['source_stage']}', which is the stage {stage}."
        for row in rows
    ]


async def _presets_naming(session: Session, stage: str) -> list[str]:
    rows = await session.rows(Sql("select distinct preset from import_job order by preset"))
    return [
        f"The preset {row['preset']}, which this database imports with, names the stage {stage}: the next import with"
        " it is refused."
        for row in rows
        if stage in _reported_stages(row["preset"])
    ]


def _reported_stages(preset: str) -> frozenset[str]:
    """Return the stages that a preset that ships reports people in; none for a preset of one's own."""
    file = files("api").joinpath("importers", "presets", f"{preset}.toml")
    if not preset.replace("-", "").isalnum() or not file.is_file():
        return frozenset()
    fields = [
        record.get("fields", {}).get("stage")
        for part in tomllib.loads(file.read_text("utf-8")).get("files", ())
        for record in part.get("records", ())
        if record.get("table") == "reported_stage"
    ]
    return frozenset(stage for field in fields for stage in _constants(field))


def _constants(field: Any) -> Iterator[str]:  # noqa: ANN401 - a value of TOML
    """Yield the stages in a field of a preset: a constant, or what words are mapped to."""
    if isinstance(field, Mapping):
        words = field.get("words")
        named = [field.get("constant"), *(words.values() if isinstance(words, Mapping) else ())]
        yield from (stage for stage in named if isinstance(stage, str))
