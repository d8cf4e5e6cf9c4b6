"""The page of the accord in a real browser: both teams agree on a new version, and the funnel changes.

Every step is looked at by axe-core in light and dark, on a desktop and a phone.
"""

import pytest

from tests.browser.accord_page import AccordPage

pytestmark = pytest.mark.browser

MARKETING, SALES, ANALYST = "head of marketing", "head of sales", "analyst"
VOLUME = '{ kpi(key: MQLS, period: {named: "this-month"}) { value accords { version isSigned } } }'


def test_both_teams_agree_on_a_version_and_the_funnel_changes(accord: AccordPage) -> None:
    found: list[str] = []

    # Marketing proposes that one touch is enough for a marketing qualified lead, at first with a mistake.
    accord.sign_in_as(MARKETING)
    before = accord.query(VOLUME)["kpi"]
    accord.wait_for("This version is in force provisionally")
    found += accord.look("in force")
    accord.press("Propose a change")
    accord.fill("What it changes, and why", "One touch is enough: we lose people while we wait for the second.")
    accord.retype('window = "14 days"', 'window = "soon"')
    accord.press("Propose as a draft")
    accord.wait_for("One thing is wrong.")
    assert "'soon'" in accord.text()
    found += accord.look("mistake")
    accord.press("Line ")
    accord.retype('window = "soon"', 'window = "21 days"')
    accord.retype("at_least = 2", "at_least = 1")
    accord.press("Propose as a draft")
    accord.wait_for("beside version 1")
    assert "Version 2" in accord.text()
    found += accord.look("draft")
    accord.press("Submit for review")
    accord.press("Submit")
    accord.wait_for("Both teams can now review")

    # Sales looks at the effect, and asks for a limit.
    accord.sign_in_as(SALES)
    accord.open("?version=2&view=effect")
    accord.wait_for("Marketing qualified lead")
    found += accord.look("effect")
    accord.press("The numbers as a table")
    found += accord.look("effect as a table")
    accord.press(accord.first_button(" gained"))
    accord.wait_for("Before:")
    found += accord.look("people gained")
    accord.press("Close")
    accord.press("Agreement")
    accord.press("Comment on Marketing qualified lead")
    accord.fill("Your comment on Marketing qualified lead", "A touch of last month is cold. Make it 14 days.")
    accord.press("Write the comment")
    accord.wait_for("Make it 14 days.")
    accord.press("Request changes")
    accord.fill("What has to change", "Only touches of the last 14 days, please.")
    accord.press("Request changes")
    accord.wait_for("Changes requested")
    found += accord.look("changes requested")

    # Marketing changes it and answers; now both sign.
    accord.sign_in_as(MARKETING)
    accord.open("?version=2")
    accord.press("Edit")
    accord.retype('"INBOUND", within = "30 days"', '"INBOUND", within = "14 days"')
    accord.press("Save")
    accord.wait_for("less than 14 days ago")
    accord.press("Resolve")
    accord.wait_for("1 resolved comment")
    accord.press("Resolve")
    accord.press("Submit for review")
    accord.press("Submit")
    accord.wait_for("Both teams can now review")
    accord.press("Sign for marketing")
    accord.wait_for("What it changes beside")
    found += accord.look("before the signature")
    accord.press("Sign")
    accord.wait_for("You signed for marketing.")
    found += accord.look("one signature")
    accord.sign_in_as(SALES)
    accord.open("?version=2")
    accord.press("Sign for sales")
    accord.wait_for("What it changes beside")
    accord.press("Sign")
    accord.wait_for("You signed for sales.")
    accord.wait_for("Signed by both")
    found += accord.look("both signatures")

    # It comes into force, and from this moment it counts.
    assert accord.query(VOLUME)["kpi"] == before
    accord.press("Activate")
    accord.press("Activate now")
    accord.wait_for("In force from")
    found += accord.look("activated")
    after = accord.query(VOLUME)["kpi"]
    assert int(after["value"]) > int(before["value"])
    assert {"version": 2, "isSigned": True} in after["accords"]
    accord.open()
    assert "Version 2" in accord.driver.title

    assert found == []
    assert accord.console_errors() == []


def test_who_may_only_read_is_offered_nothing_to_write(accord: AccordPage) -> None:
    accord.sign_in_as(ANALYST)
    assert accord.driver.find_elements("css selector", ".actions") == []
    accord.open("?view=propose")
    accord.wait_for("You may read the accord.")
    assert accord.look("only to read") == []


def test_a_version_that_does_not_exist_is_said_in_words(accord: AccordPage) -> None:
    accord.open("?version=4711")
    accord.wait_for("There is no version 4711")
    assert accord.look("no such version") == []
