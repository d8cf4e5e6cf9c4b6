"""Paths of clauses in a document, such as `stages.mql.rule` or `exits.1`: in comments and in differences."""

from collections import Counter
from collections.abc import Mapping, Sequence

# What names the items of the document's lists.
_NAMED_BY = ("key", "code", "kpi", "name")


def item_steps(items: Sequence[object]) -> list[str]:
    """Return the step to each item of a list: what names it if no other item has that name, else its place from 1.

    Shapes: models, or the JSON of models -> one step for each.
    """
    names = [_name(item) for item in items]
    counted = Counter(names)
    return [str(place) if name is None or counted[name] > 1 else name for place, name in enumerate(names, start=1)]


def _name(item: object) -> str | None:
    found = (item.get(key) if isinstance(item, Mapping) else getattr(item, key, None) for key in _NAMED_BY)
    return next((str(name) for name in found if name is not None), None)
