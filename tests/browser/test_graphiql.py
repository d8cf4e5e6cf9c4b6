"""GraphiQL in a real browser: it opens with questions, answers them, and talks to nobody else."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser.page import Page

pytestmark = pytest.mark.browser

FUNNEL = "How far did the people of each quarter get?"
SCREENSHOT = os.environ.get("ACCORD_SCREENSHOT")


def test_the_funnel_question_is_answered(page: Page, tmp_path: Path) -> None:
    page.open("/")
    assert page.driver.title == "Accord"
    assert page.tabs()[0] == "FunnelByQuarter"
    assert page.questions()[0] == FUNNEL
    assert len(page.tabs()) == len(page.questions()) >= 3

    page.run()
    answer = page.answer()

    assert "errors" not in answer
    for funnel in answer["data"].values():
        reached = [stage["reached"] for stage in funnel["stages"]]
        assert len(reached) == 7
        assert reached == sorted(reached, reverse=True)
    assert any(funnel["stages"][0]["reached"] for funnel in answer["data"].values())
    picture = Path(SCREENSHOT) if SCREENSHOT else tmp_path / "graphiql-funnel.png"
    page.picture(picture)
    assert picture.stat().st_size > 20_000


def test_every_example_question_runs_from_its_tab(page: Page) -> None:
    page.open()
    for question in page.questions():
        page.choose(question)
        assert '"errors"' not in page.run(), question


def test_a_tab_that_was_closed_comes_back_with_its_question(page: Page) -> None:
    page.open()
    before = page.tabs()
    page.close_active_tab()
    assert page.tabs() == before[1:]
    page.choose(FUNNEL)
    assert page.tabs() == [*before[1:], before[0]]
    assert '"errors"' not in page.run()


def test_no_request_leaves_the_machine_and_nothing_is_complained_of(page: Page) -> None:
    page.open()
    page.run()
    page.show("Documentation Explorer")
    page.show("GraphiQL Explorer")
    page.prettify()
    hosts = {urlsplit(url).netloc for url in page.requested()}
    assert hosts == {urlsplit(page.address).netloc}
    assert page.complaints() == []
