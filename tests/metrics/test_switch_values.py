"""The catalogue lists the values that requests may name of every switch; all others are refused."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from api.metrics.query import query_kpis
from api.metrics.request import KpiRequest, StagePair, Switches, Where
from schema.accord_vocab import Reading
from schema.kpis import CATALOGUE
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.kpi import Kpi
from schema.kpis.switch_words import Censoring, CurrencyRule, CycleStart, Exclusion, FilterScope
from schema.vocab import Anchor, Reentry, Skip, Vocabulary
from tests.golden import world

NOW = datetime(2026, 7, 1, tzinfo=UTC)
WORDS: dict[str, tuple[str, type[Vocabulary]]] = {
    "anchor": ("anchor", Anchor),
    "reentry": ("reentry", Reentry),
    "skip": ("skip", Skip),
    "censoring": ("censoring", Censoring),
    "filterScope": ("filter_scope", FilterScope),
    "currencyRule": ("currency_rule", CurrencyRule),
    "cycleStart": ("cycle_start", CycleStart),
    "reading": ("reading", Reading),
    "exclusions": ("exclusions", Exclusion),
}
FREE: dict[str, tuple[str, Any]] = {
    "window": ("window", timedelta(days=20)),
    "accordVersion": ("accord_version", 1),
    "asOf": ("as_of", datetime(2026, 4, 1, tzinfo=UTC)),
    "timezone": ("timezone", "Asia/Tokyo"),
    "knownAt": ("known_at", datetime(2026, 6, 30, tzinfo=UTC)),
}
FILTER = Where(tests=((Dimension.COMPANY, (None,)),))
COHORT, PERIOD = {"anchor": Anchor.COHORT}, {"anchor": Anchor.PERIOD}
# What meets a condition of the catalogue, and what does not; None if a request cannot break it.
CONDITIONS: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {
    "A value other than ALL_OPEN needs anchor=COHORT.": (COHORT, PERIOD),
    "A length needs anchor=COHORT.": (COHORT, PERIOD),
    "It needs a length: `none` is refused.": ({}, None),
    "It needs a filter, in `where`.": ({"where": FILTER}, {}),
    "The accord needs `currency` in the clause reporting.": ({}, None),
    "SQL needs a stage with the key sql in the accord.": ({}, None),
    "PINNED needs accordVersion.": ({"accord_version": 1}, {}),
    "It needs reading=PINNED.": ({"reading": Reading.PINNED}, {}),
}
ALWAYS = (Censoring.ALL_OPEN, Reading.IN_FORCE, Reading.RESTATED)  # values that no condition is about


def request_of(kpi: Kpi, chosen: dict[str, Any]) -> KpiRequest:
    given = {name: value for name, value in chosen.items() if name != "where"}
    stages = StagePair("mql", "sql") if kpi.key in ("stage_conversion", "time_to_convert") else None
    return KpiRequest(kpi.key, stages=stages, where=chosen.get("where", Where()), switches=replace(Switches(), **given))


def every_value() -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Every value of every switch that there is: the switch, the value, and the choice of a request."""
    for name, (field, words) in WORDS.items():
        for word in words:
            yield name, word, {field: (word,) if name == "exclusions" else word}
    for name, (field, value) in FREE.items():
        yield name, None, {field: value}


def attempts(kpi: Kpi) -> Iterator[tuple[dict[str, Any], bool]]:
    """What requests choose, and whether the catalogue says that they may."""
    listed = {switch.name: switch for switch in kpi.switches.defaults}
    anchors = [{}, COHORT, PERIOD] if "anchor" in listed else [{}]
    for name, word, choice in every_value():
        switch = listed.get(name)
        if switch is None or (word is not None and word.name not in switch.values):
            for meets, _ in CONDITIONS.values():
                if "anchor" in listed or "anchor" not in meets:
                    yield {**meets, **choice}, False
            continue
        assert (word is None) == (not switch.values), (kpi.key, name)
        if switch.condition is None or word in ALWAYS:
            yield from (({**anchor, **choice}, True) for anchor in anchors)
            continue
        meets, breaks = CONDITIONS[switch.condition]
        yield {**meets, **choice}, True
        if breaks is not None:
            yield {**breaks, **choice}, False


@pytest.fixture(scope="module")
async def golden(module_database: Database) -> Database:
    async with module_database.write() as session:
        await world.load(session)
        await evaluate(session)
    return module_database


@pytest.mark.parametrize("key", CATALOGUE)
async def test_the_values_of_every_switch_are_those_that_requests_may_name(golden: Database, key: str) -> None:
    tried = list(attempts(CATALOGUE[key]))
    assert {is_listed for _, is_listed in tried} == {True, False}
    async with golden.read() as session:
        requests = [request_of(CATALOGUE[key], chosen) for chosen, _ in tried]
        answers = await query_kpis(session, LOCAL_OPERATOR, requests, now=NOW)
    for (chosen, is_listed), answer in zip(tried, answers, strict=True):
        is_refused = isinstance(answer, AccordError)
        assert is_refused != is_listed, (chosen, answer)
        assert not isinstance(answer, AccordError) or answer.code is ErrorCode.BAD_INPUT, (chosen, answer)


def test_the_catalogue_lists_values_and_conditions() -> None:
    def switch(key: str, name: str) -> tuple[tuple[str, ...], str | None]:
        [found] = [one for one in CATALOGUE[key].switches.defaults if one.name == name]
        return found.values, found.condition

    assert switch("mqls", "skip") == (("EXCLUDE", "IMPLIED"), None)
    assert switch("mql_acceptance", "censoring") == (
        ("ALL_OPEN", "DECIDED_ONLY"),
        "A value other than ALL_OPEN needs anchor=COHORT.",
    )
    assert switch("mqls", "asOf") == ((), None)
    assert switch("ltv", "currencyRule")[0] == ("TRANSACTION_DATE", "PERIOD_END", "AS_OF")
