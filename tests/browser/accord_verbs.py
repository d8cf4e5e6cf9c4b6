"""What a person does with versions of the accord through the API in the session of the page: how a test begins."""

from datetime import datetime

from tests.browser.accord_page import AccordPage

READ = "query($version: Int) { accord(version: $version) { version hash toml } }"
PREVIEW = "query($version: Int!) { accordPreview(version: $version) { id } }"


def proposed(page: AccordPage, before: str, after: str, *, note: str) -> int:
    """Propose the version in force with another text, and submit it. Returns the number of the version."""
    toml = page.query(READ)["accord"]["toml"]
    assert before in toml
    written = {"document": toml.replace(before, after, 1), "note": note}
    version: int = _act(page, "proposeAccord", **written)
    return _act(page, "submitAccord", version=version)


def sign(page: AccordPage, version: int) -> None:
    """Sign a version on its preview."""
    content = page.query(READ, version=version)["accord"]["hash"]
    preview = page.query(PREVIEW, version=version)["accordPreview"]["id"]
    _act(page, "signAccord", version=version, hash=content, previewId=preview)


def activate(page: AccordPage, version: int, at: datetime) -> None:
    """Plan the activation of a signed version."""
    _act(page, "activateAccord", version=version, at=at.isoformat())


def _act(page: AccordPage, verb: str, **given: object) -> int:
    """Run a mutation; the test fails if it is refused. Returns the number of the version."""
    input_type = f"{verb[0].upper()}{verb[1:]}Input!"
    fields = "{ accord { version } userErrors { message } }"
    document = f"mutation($input: {input_type}) {{ {verb}(input: $input) {fields} }}"
    payload = page.query(document, input=given)[verb]
    assert payload["userErrors"] == []
    version: int = payload["accord"]["version"]
    return version
