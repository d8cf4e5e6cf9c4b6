"""Refuses to build a wheel without the front-ends, which an installed Accord could not build any more."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FrontEndsAreBuilt(BuildHookInterface):  # type: ignore[type-arg]
    """Runs before a wheel is built. An editable installation serves the files of the checkout, so it needs none yet."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the interface
        """Check that every front-end with a package.json is built. Ends the build if one is not."""
        if version == "editable":
            return
        static = Path(self.root) / "api" / "static"
        missing = [
            folder.parent.name
            for folder in sorted(static.glob("*/package.json"))
            if not (folder.parent / "dist" / "index.html").is_file()
        ]
        if missing:
            raise SystemExit(
                f"The wheel was not built: the pages of {', '.join(missing)} are missing. Build them first: make assets"
            )
