"""The difference of two documents: every change is in it, as a sentence, with a path, and marked by what it does."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from api.accord.clause_paths import item_steps
from api.accord.diff.changes import ClauseChange, all_marks
from api.accord.diff.clauses import CLAUSES, EFFECTS, ITEMS
from api.accord.diff.diff_text import diff_text
from api.accord.diff.document_diff import document_changes
from api.accord.documents import read_accord
from schema.accord import Accord
from schema.accord_vocab import AccordChangeKind, AccordChangeMark
from schema.clauses.document_parts import models_in

Body = dict[str, Any]
STANDARD = read_accord("standard")
ADDED, REMOVED, CHANGED = AccordChangeKind.ADDED, AccordChangeKind.REMOVED, AccordChangeKind.CHANGED


def written(accord: Accord = STANDARD) -> Body:
    body: Body = json.loads(accord.canonical())
    return body


def edited(edit: Callable[[Body], object], before: Accord = STANDARD) -> Accord:
    body = written(before)
    edit(body)
    return Accord.model_validate(body)


def changes_of(edit: Callable[[Body], object], before: Accord = STANDARD) -> tuple[ClauseChange, ...]:
    return document_changes(before, edited(edit, before))


def stage(body: Body, key: str) -> Body:
    return next(stage for stage in body["stages"] if stage["key"] == key)


def put(*path: str | int, value: object) -> Callable[[Body], object]:
    """Return an edit that sets a value at a path, in which a key of a stage names the stage."""

    def edit(body: Body) -> None:
        node: Any = body
        for step in path[:-1]:
            node = stage(body, str(step)) if node is body["stages"] else node[step]
        node[path[-1]] = value

    return edit


ECONOMICS = {
    "gross_margin": "0.7",
    "monthly_churn": "0.02",
    "sales_costs": [{"from": "2027-01", "per_month": "40000"}],
}
FULL = edited(
    lambda body: (
        body["contact_policy"].update(channel_caps=[{"channel": "PHONE", "at_most": 2, "within": "7 days"}]),
        body["handoff"]["marketing"].update(volume=[{"stage": "mql", "at_least": 9, "per": "MONTH"}]),
        body["calendars"][0].update(closed=[{"on": "2027-01-04", "name": "Stock-taking"}], holidays={"country": "DE"}),
        body.update(targets=[{"kpi": "mqls", "period": "2027-Q1", "value": 300}]),
        body.update(economics=ECONOMICS),
    )
)

CASES = {
    "title": (put("title", value="Ours"), "title", "Title", "RENAMES", "The accord is called Ours."),
    "stage title": (
        put("stages", "mql", "title", value="MQL"),
        "stages.mql.title",
        "MQL: name",
        "RENAMES",
        "The stage with the key mql is called MQL.",
    ),
    "group": (
        put("stages", "mql", "group", value="Leads"),
        "stages.mql.group",
        "Marketing qualified lead: group",
        "RENAMES",
        "Marketing qualified lead belongs to the group Leads.",
    ),
    "owner": (
        put("stages", "mql", "owner", value="REVOPS"),
        "stages.mql.owner",
        "Marketing qualified lead: owner",
        "REPORTING_ONLY",
        "Revenue operations is responsible for the people in Marketing qualified lead.",
    ),
    "meaning": (
        put("stages", "mql", "meaning", value="Ready to talk"),
        "stages.mql.meaning",
        "Marketing qualified lead: meaning",
        "RENAMES",
        "Marketing qualified lead means: Ready to talk.",
    ),
    "rule": (
        put("stages", "inquiry", "rule", value={"touches": {"direction": "INBOUND"}}),
        "stages.inquiry.rule",
        "Inquiry: entry rule",
        "WIDENS",
        "A contact enters Inquiry when: at least 1 inbound touch.",
    ),
    "window": (
        put("stages", "mql", "window", value="7 days"),
        "stages.mql.window",
        "Marketing qualified lead: time to the next stage",
        "NARROWS",
        "The step to Sales accepted lead counts if it takes at most 7 days, exactly 7 days included.",
    ),
    "needs": (
        put("stages", "mql", "needs", value=["contact.email", "company.industry"]),
        "stages.mql.needs",
        "Marketing qualified lead: needed fields",
        "NARROWS",
        "Marketing qualified lead needs the e-mail and the company's industry filled in.",
    ),
    "exit": (
        put("exits", 1, "closes_to", value="sql"),
        "exits.2",
        "Exit: lost deal",
        "UNKNOWN",
        (
            "A lost deal closes Marketing qualified lead up to Sales qualified lead, unless the contact has another"
            " open deal. Deals with a negative amount do not count."
        ),
    ),
    "reason's label": (
        put("reject_reasons", 0, "label", value="No fit"),
        "reject_reasons.NO_FIT",
        "Reject reason: No fit",
        "RENAMES",
        "NO_FIT: No fit (to disqualify; cause on the side of marketing).",
    ),
    "reason's fault": (
        put("reject_reasons", 0, "fault", value="SALES"),
        "reject_reasons.NO_FIT",
        "Reject reason: Not our kind of customer",
        "REPORTING_ONLY",
        "NO_FIT: Not our kind of customer (to disqualify; cause on the side of sales).",
    ),
    "reason's disposition": (
        put("reject_reasons", 0, "disposition", value="RECYCLE"),
        "reject_reasons.NO_FIT",
        "Reject reason: Not our kind of customer",
        "UNKNOWN",
        "NO_FIT: Not our kind of customer (to recycle; cause on the side of marketing).",
    ),
    "touches": (
        put("contact_policy", "at_most", value=3),
        "contact_policy.at_most",
        "Contact policy: touches of a person",
        "NARROWS",
        (
            "No person gets more than 3 touches from both teams together, over all channels, in any 7 days (a touch"
            " exactly 7 days old no longer counts)."
        ),
    ),
    "exempt": (
        put("contact_policy", "exempt", value={"automated": True, "reply_within": "2 days"}),
        "contact_policy.exempt",
        "Contact policy: touches that do not count",
        "WIDENS",
        "Not counted: automated touches and replies less than 2 days after the person's own touch.",
    ),
    "quiet hours": (
        put("contact_policy", "quiet_hours", "from", value="18:00"),
        "contact_policy.quiet_hours",
        "Contact policy: quiet hours",
        "NARROWS",
        (
            "Nobody is touched from 18:00 to 08:00 of the next day, by the person's own clock; if the person's time"
            " zone is not known, by that of UTC."
        ),
    ),
    "week start": (
        put("reporting", "week_start", value="SUNDAY"),
        "reporting.timezone",
        "Reporting: days and weeks",
        "REPORTING_ONLY",
        "Days begin at midnight in UTC, weeks on Sunday.",
    ),
    "currency": (
        put("reporting", "currency", value="USD"),
        "reporting.currency",
        "Reporting: currency",
        "REPORTING_ONLY",
        "Money is reported in USD.",
    ),
    "opening hours": (
        put("calendars", 0, "hours", 0, "closes", value="18:00"),
        "calendars.office.hours",
        "Calendar: Office hours, opening hours",
        "MOVES",
        "Office hours is open Monday to Friday from 09:00 to 18:00, by the clock of UTC.",
    ),
    "decision": (
        put("handoff", "sales", "decide_within", value="1 day"),
        "handoff.sales.decide_within",
        "Handoff: sales, decision",
        "MOVES",
        "Sales decides on a handoff at most 1 day after it.",
    ),
    "rejection": (
        put("handoff", "sales", "reject_with", value=["REASON"]),
        "handoff.sales.reject_with",
        "Handoff: sales, rejection",
        "WIDENS",
        "Sales rejects a handoff with a reason of this accord.",
    ),
    "hand-over": (
        put("handoff", "marketing", "hand_over", 0, "within", value="1 day"),
        "handoff.marketing.hand_over.1",
        "Handoff: time to hand over mql",
        "MOVES",
        "Marketing hands a person over at most 1 day after the person entered Marketing qualified lead.",
    ),
    "canonical model": (
        put("attribution", "canonical", value="linear"),
        "attribution.canonical",
        "Attribution: model that counts",
        "REPORTING_ONLY",
        "The model that counts is Linear.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_changed_clause_is_the_sentence_that_both_would_sign(case: str) -> None:
    edit, clause, title, mark, sentence = CASES[case]
    (change,) = changes_of(edit)
    assert (change.clause, change.title, change.after) == (clause, title, sentence)
    assert (change.kind, change.marks) == (CHANGED, (AccordChangeMark[mark],))
    assert change.section == clause.partition(".")[0]
    (back,) = document_changes(edited(edit), STANDARD)
    assert (back.clause, back.before, back.after) == (clause, sentence, change.before)


REVERSED = {"WIDENS": "NARROWS", "NARROWS": "WIDENS"}


@pytest.mark.parametrize("case", CASES)
def test_the_reverse_of_a_change_has_the_reverse_mark(case: str) -> None:
    edit, _, _, mark, _ = CASES[case]
    (back,) = document_changes(edited(edit), STANDARD)
    assert back.marks == (AccordChangeMark[REVERSED.get(mark, mark)],)


def test_equal_documents_do_not_differ() -> None:
    assert document_changes(STANDARD, Accord.model_validate(written())) == ()
    assert diff_text(()) == "Both versions say the same.\n"


def test_hours_that_state_no_zone_follow_that_of_the_reports() -> None:
    quiet, days, hours = changes_of(put("reporting", "timezone", value="Europe/Berlin"))
    assert [(change.clause, *change.marks) for change in (quiet, days, hours)] == [
        ("contact_policy.quiet_hours", AccordChangeMark.UNKNOWN),
        ("reporting.timezone", AccordChangeMark.REPORTING_ONLY),
        ("calendars.office.hours", AccordChangeMark.MOVES),
    ]
    assert hours.after == "Office hours is open Monday to Friday from 09:00 to 17:00, by the clock of Europe/Berlin."
    assert hours.before == hours.after.replace("Europe/Berlin", "UTC")
    assert quiet.before is not None
    assert quiet.before.endswith("by that of UTC.")
    assert quiet.before.replace("UTC", "Europe/Berlin") == quiet.after


def test_hours_that_state_their_zone_follow_no_other() -> None:
    def stated(body: Body) -> None:
        body["calendars"][0]["timezone"] = "Europe/Paris"
        body["contact_policy"]["quiet_hours"]["timezone"] = "Europe/Rome"

    (change,) = changes_of(put("reporting", "timezone", value="Europe/Berlin"), edited(stated))
    assert (change.clause, change.marks) == ("reporting.timezone", (AccordChangeMark.REPORTING_ONLY,))
    # Hours that follow the zone which they stated before are the same.
    followed = edited(
        put("calendars", 0, "timezone", value=None),
        edited(put("reporting", "timezone", value="Europe/Paris"), edited(stated)),
    )
    assert [change.clause for change in document_changes(edited(stated), followed)] == ["reporting.timezone"]


def test_an_added_stage_says_everything_that_it_means() -> None:
    (change,) = changes_of(lambda body: body["stages"].append(churned()))
    assert (change.clause, change.title, change.kind, change.before) == ("stages.churned", "Churned", ADDED, None)
    assert change.after == (
        "The stage with the key churned is called Churned. Churned belongs to the group Lost. Sales is responsible for"
        " the people in Churned. Churned means: Gone. A contact enters Churned when: no touch of any kind for 90 days."
        " This is the last stage. Churned needs no field filled in."
    )
    assert change.marks == (AccordChangeMark.UNKNOWN,)
    (removed,) = document_changes(edited(lambda body: body["stages"].append(churned())), STANDARD)
    assert (removed.kind, removed.before, removed.after) == (REMOVED, change.after, None)


def churned() -> Body:
    named = {"key": "churned", "title": "Churned", "group": "Lost", "owner": "SALES", "meaning": "Gone."}
    return named | {"rule": {"silence": "90 days"}}


def test_a_section_that_goes_is_removed_as_a_whole() -> None:
    (change,) = changes_of(lambda body: body.pop("contact_policy"))
    assert (change.clause, change.kind, change.after) == ("contact_policy", REMOVED, None)
    assert change.marks == (AccordChangeMark.WIDENS,)
    assert change.before is not None
    assert change.before.startswith("No person gets more than 5 touches")
    assert "Nobody is touched from 20:00 to 08:00" in change.before


def test_a_duty_that_was_not_agreed_is_added() -> None:
    before = edited(lambda body: body["handoff"]["sales"].pop("attempts"))
    (change,) = document_changes(before, STANDARD)
    assert (change.clause, change.kind, change.before) == ("handoff.sales.attempts", ADDED, None)
    assert change.marks == (AccordChangeMark.REPORTING_ONLY,)


def test_a_new_key_alone_renames_a_stage_wherever_it_is_named() -> None:
    named = [{"stage": "mql"}, {"not": {"touches": {"after": "mql"}}}, {"handoff": "ACCEPTED", "after": "mql"}]
    before = edited(put("stages", "sal", "rule", value={"all": named}), edited(put("targets", value=[]), FULL))
    text = json.dumps(written(before)).replace('"mql"', '"qualified"')
    (change,) = document_changes(before, Accord.model_validate(json.loads(text)))
    assert (change.clause, change.kind, change.marks) == (
        "stages.qualified.key",
        CHANGED,
        (AccordChangeMark.RENAMES,),
    )
    assert change.before == "Requests and rules name Marketing qualified lead by its key mql."
    assert change.after == "Requests and rules name Marketing qualified lead by its key qualified."


def test_a_new_key_with_another_rule_is_another_stage() -> None:
    def edit(body: Body) -> None:
        old = stage(body, "inquiry")
        old |= {"key": "lead", "rule": {"touches": {"direction": "INBOUND", "at_least": 2}}}
        body["attribution"]["lead_stage"] = "lead"

    assert [(change.clause, change.kind) for change in changes_of(edit)] == [
        ("stages.lead", ADDED),
        ("stages.inquiry", REMOVED),
        ("attribution.lead_stage", CHANGED),
    ]


def test_stages_in_another_order_are_one_change() -> None:
    def edit(body: Body) -> None:
        body["stages"][1:3] = reversed(body["stages"][1:3])

    found = changes_of(edit)
    assert [(change.clause, change.title, change.marks) for change in found] == [
        ("stages", "Stages: order", (AccordChangeMark.UNKNOWN,))
    ]
    assert found[0].after is not None
    assert found[0].after.startswith(
        "Stages, in this order: Suspect; Marketing qualified lead; Inquiry; Sales accepted"
    )


def test_two_targets_of_one_kpi_are_told_by_their_period() -> None:
    target = {"kpi": "mqls", "period": "2027-Q1", "value": 300}
    before = edited(put("targets", value=[target, target | {"period": "2027-Q2"}]))
    (change,) = changes_of(put("targets", 1, "value", value=400), before)
    assert (change.clause, change.title) == ("targets.2", "Target: Marketing qualified leads 2027-Q2")
    assert change.before == "Marketing qualified leads in 2027-Q2: 300."
    (alone,) = changes_of(lambda body: body["targets"].pop(0), before)
    assert (alone.clause, alone.kind) == ("targets.1", REMOVED)


def test_limits_of_channels_allow_less() -> None:
    cap = {"channel": "PHONE", "at_most": 2, "within": "7 days"}
    (change,) = changes_of(put("contact_policy", "channel_caps", value=[cap]))
    assert (change.clause, change.kind) == ("contact_policy.channel_caps.1", ADDED)
    assert (change.after, change.marks) == (
        "Through phone it is not more than 2 touches in any 7 days.",
        (AccordChangeMark.NARROWS,),
    )


def test_the_text_has_every_change_with_its_sentences_before_and_after() -> None:
    def edit(body: Body) -> None:
        stage(body, "mql")["window"] = "20 days"
        del body["reject_reasons"][1]

    changes = changes_of(edit)
    assert all_marks(changes) == (AccordChangeMark.WIDENS, AccordChangeMark.REPORTING_ONLY)
    assert diff_text(changes) == (
        "Marketing qualified lead: time to the next stage · changed, widens (stages.mql.window)\n"
        "  - The step to Sales accepted lead counts if it takes at most 14 days, exactly 14 days included.\n"
        "  + The step to Sales accepted lead counts if it takes at most 20 days, exactly 20 days included.\n"
        "\n"
        "Reject reason: Interested, but not now · removed, reporting only (reject_reasons.NO_TIMING)\n"
        "  - NO_TIMING: Interested, but not now (to recycle; cause on the side of neither).\n"
    )


# --------------------------------------------------------------------------------------------- nothing is left out


def _others(value: object) -> tuple[object, ...]:
    """Values that may stand in place of another one."""
    if isinstance(value, bool | int):
        return (not value,) if isinstance(value, bool) else (3,)
    text = str(value)
    if text.endswith(("days", "day", "hours")):
        return ("11 days", "11 hours")
    return ("OTHER_CODE", "SALES", "EMAIL", "FR", "USD") if text.isupper() else ("other", "0.5", "10:15")


def _values(node: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], object]]:
    """Yield every value of a document with its path, of a list those of its first item."""
    if isinstance(node, dict):
        for key, inner in node.items():
            yield from _values(inner, (*path, key))
    elif isinstance(node, list):
        for inner in node[:1]:
            yield from _values(inner, (*path, 0))
    else:
        yield path, node


def test_whatever_changes_in_a_document_is_a_change_of_a_clause_that_a_comment_may_name() -> None:
    clauses = set[str]()
    for path, value in _values(written(FULL)):
        for other in _others(value):
            body = written(FULL)
            node: Any = body
            for step in path[:-1]:
                node = node[step]
            node[path[-1]] = other
            try:
                after = Accord.model_validate(body)
            except ValueError:
                continue
            found = document_changes(FULL, after)
            assert bool(found) is (after.canonical() != FULL.canonical()), path
            for change in found:
                assert change.before != change.after
                assert _names(after if change.after else FULL, change.clause), change.clause
                clauses.add(change.clause)
    assert {clause.partition(".")[0] for clause in clauses} == {*Accord.model_fields} - {"exits"}
    assert len(clauses) > 25


def _names(accord: Accord, clause: str) -> bool:
    node: Any = accord.model_dump(mode="json", by_alias=True)
    for step in clause.split("."):
        parts = node if isinstance(node, dict) else dict(zip(item_steps(node), node, strict=True))
        if step not in parts:
            return False
        node = parts[step]
    return True


def test_every_declared_clause_is_in_the_document() -> None:
    fields = dict(_models("", Accord))
    for clause in CLAUSES:
        assert clause.model in fields, clause
        assert {*clause.fields} <= {*fields[clause.model].model_fields}, clause
    assert {*ITEMS} <= {*fields}
    assert {*EFFECTS} <= {*fields}


def _models(pattern: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    yield pattern, model
    for name, field in model.model_fields.items():
        for inner in () if name == "rule" else models_in(field.annotation):
            path = f"{pattern}.{field.alias or name}".removeprefix(".")
            if path.count(".") < 4:
                yield from _models(path, inner)
