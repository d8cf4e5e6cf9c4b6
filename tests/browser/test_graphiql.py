"""GraphiQL in a real browser: it opens with example queries, runs them, and contacts no other host."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser.page import Page

pytestmark = pytest.mark.browser

FUNNEL = "How far did the people of each quarter get?"
SCREENSHOT = os.environ.get("ACCORD_SCREENSHOT")


def test_the_funnel_example_runs(page: Page, tmp_path: Path) -> None:
    page.open("/")
    assert page.driver.title == "Accord"
    assert page.tabs()[0] == "FunnelByQuarter"
    assert page.examples()[0] == FUNNEL
    assert len(page.examples()) > len(page.tabs()) >= 3  # screens open a tab when they are chosen

    page.run()
    response = page.response()

    assert "errors" not in response
    for funnel in response["data"].values():
        reached = [stage["reached"] for stage in funnel["stages"]]
        assert len(reached) == 7
        assert reached == sorted(reached, reverse=True)
    assert any(funnel["stages"][0]["reached"] for funnel in response["data"].values())
    picture = Path(SCREENSHOT) if SCREENSHOT else tmp_path / "graphiql-funnel.png"
    page.picture(picture)
    assert picture.stat().st_size > 20_000


def test_every_example_runs_in_its_tab(page: Page) -> None:
    page.open()
    for title in page.examples():
        page.choose(title)
        assert '"errors"' not in page.run(), title


def test_a_closed_tab_reopens_with_its_example(page: Page) -> None:
    page.open()
    before = page.tabs()
    page.close_active_tab()
    assert page.tabs() == before[1:]
    page.choose(FUNNEL)
    assert page.tabs() == [*before[1:], before[0]]
    assert '"errors"' not in page.run()


def test_no_request_leaves_the_machine_and_the_console_has_no_errors(page: Page) -> None:
    page.open()
    page.run()
    page.show("Documentation Explorer")
    page.show("GraphiQL Explorer")
    page.prettify()
    hosts = {urlsplit(url).netloc for url in page.requested_urls()}
    assert hosts == {urlsplit(page.address).netloc}
    assert page.console_errors() == []
