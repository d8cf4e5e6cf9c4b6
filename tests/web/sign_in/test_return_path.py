"""The page to return to after a sign-in is always one of this server."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.web.sign_in.return_path import HOME, return_path

HERE = "https://accord.example/sign-in"


@pytest.mark.parametrize("path", ["/", "/graphql", "/graphql?query={hello}&x=%2F%2Fevil.example", "/a//b", "/a:b@c"])
def test_a_path_of_this_server_is_kept(path: str) -> None:
    assert return_path(path) == path


@pytest.mark.parametrize(
    "given",
    [
        None, "", "graphql", "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example",
        "javascript:alert(1)", "/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example",
        "/graphql\r\nSet-Cookie: x=y", "/ä", "/" + "a" * 3000, "/sign-in?next=/sign-in", "/sign-out",
    ],
)  # fmt: skip
def test_anything_else_is_the_home_page(given: str | None) -> None:
    assert return_path(given) == HOME


def browser_url(text: str) -> str:
    """Where a browser goes: it leaves out tabs and line breaks, and reads a backslash as a slash."""
    plain = text.strip("".join(map(chr, range(33))))
    for left_out in "\t\r\n":
        plain = plain.replace(left_out, "")
    return urljoin(HERE, plain.replace("\\", "/"))


@given(st.text(st.sampled_from("/\\\t\n\r :@.?#%evil&\x00é"), max_size=12))
@example("/\t\\evil.example")
def test_no_text_leads_to_another_site(given_path: str) -> None:
    target = urlsplit(browser_url(return_path(given_path)))
    assert (target.scheme, target.netloc) == ("https", "accord.example")
