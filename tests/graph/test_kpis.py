"""KPI requests and the accord through the contract: how arguments are read, and what results contain."""

from datetime import UTC, date, datetime, timedelta
from json import dumps
from typing import Any

import pytest

from api.accord.documents import read_accord
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from api.graph.declared import EnumType
from api.graph.kpis.example_documents import example_document
from api.graph.kpis.kpi_inputs import KPI_INPUT_TYPES
from api.graph.kpis.kpi_requests import read_funnel, read_kpi
from api.metrics.request import FunnelRequest, KpiRequest, Period, StagePair, Switches, Where
from api.workflows.adopt_accord import adopt_accord
from schema.kpis import CATALOGUE
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import Anchor, Grain, Skip
from tests.support.graphql import answered, executed, put, uid


class Key:
    """An enum member, as the executor passes it to a resolver."""

    value = "mqls"


SPRING = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await put(
            session, "contact", {"id": uid(1), "email": "a@b.example", "lead_source": "web", "effective_at": SPRING}
        )
        touch = {"contact_id": uid(1), "kind": "FORM", "direction": "INBOUND", "recorded_at": SPRING}
        for number in (1, 2):
            row = touch | {"id": uid(10 + number), "occurred_at": SPRING + timedelta(days=number)}
            await put(session, "touchpoint", row)
        deal = {"id": uid(5), "outcome": "WON", "opened_at": SPRING, "closed_at": SPRING + timedelta(days=9)}
        await put(session, "deal", deal | {"effective_at": SPRING + timedelta(days=9)})
        await adopt_accord(session, read_accord("standard"))
        await evaluate(session)
    return module_database


def test_every_argument_of_a_kpi_is_read() -> None:
    given: dict[str, Any] = {
        "key": Key,
        "period": {"range": {"from": date(2026, 1, 1), "before": date(2026, 4, 1)}},
        "grain": Grain.MONTH,
        "by": [Dimension.CHANNEL],
        "stages": {"from": "mql", "to": "sql"},
        "where": {"leadSource": {"eq": "web"}, "not": {"country": {"in": ["DE", "AT"]}}},
        "switches": {
            "anchor": Anchor.PERIOD,
            "skip": Skip.EXCLUDE,
            "window": {"length": timedelta(minutes=1)},
            "asOf": SPRING,
            "timezone": "UTC",
        },
    }
    tests = (
        Where(tests=((Dimension.LEAD_SOURCE, ("web",)),)),
        Where(none_of=(Where(tests=((Dimension.COUNTRY, ("DE", "AT")),)),)),
    )
    assert read_kpi(given) == KpiRequest(
        key="mqls",
        period=Period(date(2026, 1, 1), date(2026, 4, 1)),
        grain=Grain.MONTH,
        by=(Dimension.CHANNEL,),
        stages=StagePair("mql", "sql"),
        where=Where(all_of=tests),
        switches=Switches(
            anchor=Anchor.PERIOD, skip=Skip.EXCLUDE, window=timedelta(seconds=60), as_of=SPRING, timezone="UTC"
        ),
    )


def test_a_request_without_arguments_uses_the_defaults() -> None:
    empty = dict.fromkeys(("period", "grain", "by", "stages", "where", "switches"))
    assert read_kpi({"key": Key}) == read_kpi({"key": Key, **empty}) == KpiRequest(key="mqls", where=Where(all_of=()))
    assert read_funnel({"period": {"named": "2026-Q1"}}).period == Period(date(2026, 1, 1), date(2026, 4, 1))
    assert read_funnel({}) == FunnelRequest()


WHERES: list[tuple[dict[str, Any], Where]] = [
    ({"channel": {"isNull": True}}, Where(tests=((Dimension.CHANNEL, (None,)),))),
    ({"channel": {"isNull": False}}, Where(none_of=(Where(tests=((Dimension.CHANNEL, (None,)),)),))),
    ({"channel": {"in": []}}, Where(tests=((Dimension.CHANNEL, ()),))),
    ({"or": [{"team": {"named": ["A"]}}, {}]}, Where(any_of=(Where(tests=((Dimension.TEAM, ("A",)),)), Where()))),
    ({"or": []}, Where(none_of=(Where(),))),
    ({"and": []}, Where()),
]


@pytest.mark.parametrize(("given", "meant"), WHERES)
def test_a_filter_over_dimensions_is_read(given: dict[str, Any], meant: Where) -> None:
    assert read_funnel({"where": given}).where == meant


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"where": {"team": {"eq": None}}}, ErrorCode.BAD_INPUT),
        ({"switches": {"window": {"none": False}}}, ErrorCode.BAD_INPUT),
        ({"period": {"named": "soon"}}, ErrorCode.BAD_PERIOD),
        ({"period": {"range": {"from": date(2026, 2, 1), "before": date(2026, 1, 1)}}}, ErrorCode.BAD_PERIOD),
    ],
)
def test_an_invalid_request_is_rejected(given: dict[str, Any], code: ErrorCode) -> None:
    with pytest.raises(AccordError) as rejection:
        read_funnel(given)
    assert rejection.value.code is code


async def test_a_kpi_result_says_what_it_was_computed_from(world: Database) -> None:
    document = """{ kpi(key: DEALS_WON, grain: MONTH, period: { named: "2026-03" }) {
      key title definition unit currency value numerator denominator n implied distribution { median }
      series { from before value n } breakdown { keys { id } }
      warnings { code message count } isCanonical overrides
      accords { version hash isSigned from } asOf dataWatermark sql
    } }"""
    found = (await answered(world, document))["kpi"]
    assert (found["key"], found["unit"], found["value"], found["n"]) == ("DEALS_WON", "COUNT", "1", 1)
    bucket = {"from": "2026-03-01T00:00:00Z", "before": "2026-04-01T00:00:00Z", "value": "1", "n": 1}
    assert found["series"] == [bucket]
    assert found["accords"][0]["version"] == 1
    assert found["accords"][0]["isSigned"] is False
    assert found["accords"][0]["from"] is None


async def test_a_window_is_given_and_reported_as_an_iso_duration(world: Database) -> None:
    document = """query Window($length: Duration!) {
      kpi(key: STAGE_CONVERSION, stages: {from: "mql", to: "sql"}, switches: {window: {length: $length}}) { overrides }
    }"""
    assert (await answered(world, document, length="PT240H"))["kpi"] == {"overrides": ["window=P10D"]}
    literal = document.replace("($length: Duration!)", "").replace("$length", '"P2W"')
    assert (await answered(world, literal))["kpi"] == {"overrides": ["window=P14D"]}


@pytest.mark.parametrize(
    ("length", "reason"),
    [
        ("30 days", "such as P30D"),
        (2592000, "such as P30D"),
        ("P1M", "calendar years or months"),
        ("PT0S", "more than PT0S"),
    ],
)
async def test_a_window_in_another_form_is_refused_with_the_form_to_write(
    world: Database, length: object, reason: str
) -> None:
    document = """query Window($length: Duration!) {
      kpi(key: MQL_TO_CUSTOMER, switches: {window: {length: $length}}) { value }
    }"""
    literal = document.replace("($length: Duration!)", "").replace("$length", dumps(length))
    for result in (await executed(world, document, length=length), await executed(world, literal)):
        errors = result.errors
        assert errors is not None
        assert reason in errors[0].message


async def test_one_invalid_request_leaves_the_others_unaffected(world: Database) -> None:
    document = """{ kpis(requests: [
      { key: MQLS, period: { named: "2026" } }
      { key: MQLS, period: { named: "whenever" } }
      { key: STAGE_CONVERSION, stages: { from: "mql", to: "heaven" } }
      { key: DEALS_WON }
    ]) { key value } }"""
    result = await executed(world, document)
    assert result.data is not None
    assert result.data["kpis"] == [{"key": "MQLS", "value": "1"}, None, None, {"key": "DEALS_WON", "value": "1"}]
    causes = {tuple(error.path or ()): error.original_error for error in result.errors or ()}
    codes = {path: cause.code for path, cause in causes.items() if isinstance(cause, AccordError)}
    assert codes == {("kpis", 1): ErrorCode.BAD_PERIOD, ("kpis", 2): ErrorCode.UNKNOWN_STAGE}


async def test_the_funnel_counts_people_stage_by_stage(world: Database) -> None:
    found = await answered(
        world, "{ funnel(by: [LEAD_SOURCE]) { stages { key reached } breakdown { keys { value } } } }"
    )
    reached = [(stage["key"], stage["reached"]) for stage in found["funnel"]["stages"]]
    assert reached[:4] == [("suspect", 1), ("inquiry", 1), ("mql", 1), ("sal", 0)]
    assert found["funnel"]["breakdown"][0]["keys"][0]["value"] == "web"


async def test_the_catalogue_lists_every_kpi(world: Database) -> None:
    found = await answered(
        world,
        "{ kpiCatalogue { key title kind unit subject formula reads accordClauses switches { name default } guard"
        " source example"
        " dimensions { dimension definition moment } } }",
    )
    assert [kpi["key"] for kpi in found["kpiCatalogue"]] == [key.upper() for key in CATALOGUE]
    campaign = {
        kpi["key"]: {meaning["dimension"]: meaning["definition"] for meaning in kpi["dimensions"]}.get("CAMPAIGN")
        for kpi in found["kpiCatalogue"]
    }
    assert campaign["MQLS"] == "The campaign of the person's first inbound touchpoint."
    assert campaign["DEALS_WON"] == "The deal's primary campaign."


@pytest.mark.parametrize("key", CATALOGUE)
async def test_the_example_of_every_kpi_in_the_catalogue_is_answered(world: Database, key: str) -> None:
    document = example_document(CATALOGUE[key])
    found = await answered(world, document)
    assert found["kpi"]["unit"] == CATALOGUE[key].unit.value
    assert f"key: {key.upper()}" in document


def test_graphiql_shows_the_formula_of_every_kpi() -> None:
    (keys,) = (kind for kind in KPI_INPUT_TYPES if isinstance(kind, EnumType) and kind.name == "KpiKey")
    for word, kpi in zip(keys.words, CATALOGUE.values(), strict=True):
        assert word.doc.endswith(kpi.formula)


async def test_the_accord_is_shown_with_its_sentences(world: Database) -> None:
    document = """{ accord { version hash isSigned status from title
      stages { key rank owner rule window needs } exits { on dispositions sentence }
      contactPolicy { atMost within isAutomatedExempt replyWithin sentences }
      rejectReasons { code sentence } reporting { timezone weekStart exclude sentences } } stages { title } }"""
    found = await answered(world, document)
    accord, stages = found["accord"], {stage["key"]: stage for stage in found["accord"]["stages"]}
    assert (accord["version"], accord["status"], accord["isSigned"], accord["from"]) == (1, "ACTIVE", False, None)
    assert stages["mql"]["window"] == "P14D"
    assert "2 inbound touches less than 30 days ago" in stages["mql"]["rule"]
    assert found["stages"][0] == {"title": "Suspect"}
    policy = accord["contactPolicy"]
    assert policy.pop("sentences")[0].startswith("No person gets more than 5 touches")
    assert policy == {
        "atMost": 5,
        "within": "P7D",
        "isAutomatedExempt": True,
        "replyWithin": "P1D",
    }


async def test_the_accord_shows_duties_calendars_and_attribution(world: Database) -> None:
    document = """{ accord {
      calendars { key timezone hours { days opens closes } holidays { country years { year days { on name } } }
        sentences }
      handoff {
        marketing { completeness { stage atLeast }
          handOver { stage within { time calendar } } volume { stage per count } }
        sales { decideWithin { time calendar } attempts { atLeast within { time calendar } } rejectWith }
        sentences
      }
      contactPolicy { quietHours { from until timezone channels } channelCaps { channel atMost within } }
      attribution { canonical sourced models { key method lookBack anchor halfLife weights { firstTouch rest } }
        sentences }
      targets { kpi period value duration only { dimension value } team sentence } } }"""
    accord = (await answered(world, document))["accord"]
    (office,) = accord["calendars"]
    days = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]
    assert office["hours"] == [{"days": days, "opens": "09:00", "closes": "17:00"}]
    assert office["sentences"] == ["Office hours is open Monday to Friday from 09:00 to 17:00, by the clock of UTC."]
    in_office_hours = {"time": "PT16H", "calendar": "office"}
    assert accord["handoff"]["sales"] == {
        "decideWithin": in_office_hours,
        "attempts": {"atLeast": 5, "within": {"time": "P14D", "calendar": None}},
        "rejectWith": ["REASON", "NOTE"],
    }
    assert accord["handoff"]["marketing"]["completeness"] == [{"stage": "mql", "atLeast": "0.9"}]
    assert "Sales rejects a handoff with a reason of this accord and a note." in accord["handoff"]["sentences"]
    quiet_hours: dict[str, Any] = {"from": "20:00", "until": "08:00", "timezone": None, "channels": []}
    assert accord["contactPolicy"] == {"quietHours": quiet_hours, "channelCaps": []}
    models = {model.pop("key"): model for model in accord["attribution"]["models"]}
    assert models["position"] == {
        "method": "WEIGHTS",
        "lookBack": "P90D",
        "anchor": "DEAL_WON",
        "halfLife": None,
        "weights": {"firstTouch": "0.4", "rest": "0.2"},
    }
    assert (models["time_decay_7d"]["halfLife"], models["markov"]["weights"]) == ("P7D", None)
    assert (accord["attribution"]["canonical"], accord["attribution"]["sourced"]) == ("position", "FIRST_TOUCH")
    assert accord["targets"] == []


async def test_a_contact_shows_its_current_stage(world: Database) -> None:
    found = await answered(world, f'{{ contact(id: "contact_{uid(1)}") {{ stage {{ key title since occurrence }} }} }}')
    since = "2026-03-03T00:00:00Z"
    stage = {"key": "mql", "title": "Marketing qualified lead", "since": since, "occurrence": 1}
    assert found["contact"]["stage"] == stage
