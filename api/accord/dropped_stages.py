"""What still names a stage of the accord outside of its document: KPIs, reports of sources, and presets of imports.

Within the document nothing can name a stage that it drops: exits, duties, rules and targets that do are mistakes.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from api.db import Session
from api.sql import Sql
from schema.kpis import CATALOGUE


async def dropped_stage_warnings(session: Session, stages: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """Return what to know before stages are dropped, by stage: that it is dropped, and what names it.

    Shapes: keys of stages -> sentences. Two statements; none without stages.
    """
    if not stages:
        return {}
    reports = await _reports(session, stages)
    presets = [row["preset"] for row in await session.rows(Sql("select distinct preset from import_job order by 1"))]
    return {
        stage: (
            f"The stage {stage} is dropped.",
            *_kpis_naming(stage),
            *reports.get(stage, ()),
            *_presets_naming(stage, presets),
        )
        for stage in stages
    }


def _kpis_naming(stage: str) -> Iterator[str]:
    keys = [key for key, kpi in CATALOGUE.items() if f"stage {stage}" in kpi.reads]
    if keys:
        yield f"The stage {stage} is read by the KPIs {', '.join(keys)}: they answer an error without it."


async def _reports(session: Session, stages: Collection[str]) -> Mapping[str, list[str]]:
    # `distinct` hashes. `count(distinct …)` would sort all reports by their words, which takes 6 times as long.
    rows = await session.rows(
        Sql(
            "select stage, source, source_stage, count(*) as people from"
            " (select distinct stage, source, source_stage, contact_id from reported_stage"
            " where stage = any({}::text[])) r group by 1, 2, 3 order by 1, 2, 3",
            [*stages],
        )
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        people = "1 person" if row["people"] == 1 else f"{row['people']:,} people"
        sentence = f"{row['source']} reports {people} in '{row['source_stage']}', which is the stage {row['stage']}."
        found.setdefault(row["stage"], []).append(sentence)
    return found


def _presets_naming(stage: str, presets: Collection[str]) -> Iterator[str]:
    for preset in presets:
        if stage in _reported_stages(preset):
            yield (
                f"The preset {preset}, which this database imports with, reports people in the stage {stage}. Imports"
                " keep these reports, and warn that the accord does not have the stage."
            )


@cache
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
