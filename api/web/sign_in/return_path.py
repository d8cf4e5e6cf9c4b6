"""The page to return to after a sign-in: always one of this server."""

import re

HOME = "/graphql"

# One slash, then neither a slash nor a backslash, which browsers read as the start of another host. Nothing but visible
# ASCII: browsers leave out tabs and line breaks, and would read what remains.
_LOCAL = re.compile(r"/(?:(?![/\\])[!-\[\]-~]+)?")
_LONGEST = 2_000


def return_path(given: str | None) -> str:
    """Return a path of this server, with its query; the home page for anything else.

    Shapes: whatever the address of the sign-in page says -> a path that leads to no other site.
    """
    if given is None or len(given) > _LONGEST or not _LOCAL.fullmatch(given) or given.startswith("/sign-"):
        return HOME
    return given
