"""The console script: checks that Python imports Accord's own packages, then runs the command line.

Accord is an application: its packages have plain names, which other distributions have, too. In an environment of its
own it does not meet them. This module has a name of its own, so that it starts beside a foreign `api` as well.
"""

import sys
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from typing import NoReturn

DOCSTRINGS = {
    "api": "What happens: the server, the command line, and everything between them and the tables.",
    "schema": "Declarations: the tables, the accord document and the KPI catalogue.",
    "migrations": "Database migrations: the dated files that change the tables, ",
}
"""How each package of Accord begins. Another distribution may have been installed over its files."""


def main() -> NoReturn:
    """Run the command line. Exits with a sentence if a package is not Accord's."""
    problem = foreign_package()
    if problem is not None:
        sys.exit(
            f"accord: {problem}\n"
            "        Install Accord in an environment of its own: pipx install accord-graphql, or uv tool install "
            "accord-graphql."
        )
    import_module("api.cli").main()
    raise TypeError("the command line returned")


def foreign_package(path: list[str] | None = None) -> str | None:
    """Return a sentence that names a package which is not Accord's; None if all are. Nothing is imported."""
    for name, docstring in DOCSTRINGS.items():
        spec = PathFinder.find_spec(name, sys.path if path is None else path)
        if spec is None:
            return f"Accord's package '{name}' is not installed."
        if spec.origin is None:
            folders = ", ".join(spec.submodule_search_locations or ())
            return f"'{name}' in {folders} has no __init__.py, so it is not Accord's."
        if not Path(spec.origin).read_text(encoding="utf-8", errors="replace").startswith(f'"""{docstring}'):
            return f"Another distribution has a package '{name}' as well ({spec.origin}), in place of Accord's."
    return None


if __name__ == "__main__":
    main()
