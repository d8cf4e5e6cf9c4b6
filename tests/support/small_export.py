"""The files of a small CRM: people with forms and deals, and the preset that imports them."""

from collections.abc import Iterable
from pathlib import Path

PRESET = """
title = "A small CRM"
source = "crm"
accord = "standard"
zone = "UTC"

[[files]]
name = "people.csv"
key = "id"
dates = { created = "%Y-%m-%d" }

[[files.records]]
table = "contact"
begins = "created"
fields = { email = "mail", job_title = "title", merged_into = "same_as" }

[[files]]
name = "forms.csv"
key = "id"
dates = { at = "%Y-%m-%d" }

[[files.records]]
table = "touchpoint"
[files.records.fields]
contact = "person"
occurred_at = "at"
kind = { constant = "FORM" }
direction = { constant = "INBOUND" }

[[files]]
name = "deals.csv"
key = "id"
dates = { closed = "%Y-%m-%d" }

[[files.records]]
table = "deal"
fields = { outcome = "state", closed_at = "closed" }

[[files.records]]
table = "deal_contact"
fields = { deal = "id", contact = "person" }
"""


def write_small_export(
    folder: Path, people: Iterable[str], forms: Iterable[str] = (), deals: Iterable[str] = ()
) -> str:
    """Write the files from their rows. Return the path of the preset."""
    files = {
        "preset.toml": (PRESET.strip(),),
        "people.csv": ("id,mail,title,same_as,created", *people),
        "forms.csv": ("id,person,at", *forms),
        "deals.csv": ("id,state,person,closed", *deals),
    }
    for name, lines in files.items():
        (folder / name).write_text("".join(f"{line}\n" for line in lines))
    return str(folder / "preset.toml")
