"""Which item of a list in one document is which in another one."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from api.accord.clause_paths import item_steps


@dataclass(frozen=True, slots=True)
class ItemPair:
    """An item in both documents, or in one of them. `step` is its step in a path; `former_place` begins at 0."""

    step: str
    before: Any
    after: Any
    former_place: int | None = None


def item_pairs(key: Callable[[Any], Hashable], before: Sequence[Any], after: Sequence[Any]) -> list[ItemPair]:
    """Pair the items of a list in two documents: those of the second one in their order, then those that it lacks.

    Items of one key are paired if they are equal, and the rest of them in their order. Paths are those of the second
    document; those of the first one for an item that the second one lacks.
    """
    former = _by_key(key, before)
    matched: dict[int, int] = {}
    for wanted, places in _by_key(key, after).items():
        left = former.get(wanted, [])
        for place in places:
            equal = next((old for old in left if before[old] == after[place]), None)
            if equal is not None:
                left.remove(equal)
                matched[place] = equal
        rest = [place for place in places if place not in matched]
        matched |= dict(zip(rest, left, strict=False))
    pairs = []
    for place, (step, item) in enumerate(zip(item_steps(after), after, strict=True)):
        old = matched.get(place)
        pairs.append(ItemPair(step, None if old is None else before[old], item, old))
    steps, kept = item_steps(before), set(matched.values())
    return pairs + [ItemPair(steps[place], item, None, place) for place, item in enumerate(before) if place not in kept]


def is_reordered(pairs: Sequence[ItemPair]) -> bool:
    """Return whether the items that both documents have are in another order."""
    places = [pair.former_place or 0 for pair in pairs if pair.before is not None and pair.after is not None]
    return places != sorted(places)


def _by_key(key: Callable[[Any], Hashable], items: Sequence[Any]) -> dict[Hashable, list[int]]:
    places: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        places[key(item)].append(place)
    return dict(places)
