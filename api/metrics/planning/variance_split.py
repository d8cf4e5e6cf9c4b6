"""Split the change of a product exactly into the changes of its factors."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from math import factorial, prod


def shapley_parts(before: Sequence[Fraction], after: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """The part of each factor in `prod(after) - prod(before)`.

    It is the average effect of the factor's change over all orders in which the factors could have changed, so no order
    is preferred. The parts sum to the change exactly.
    Shapes: n factors, before and after -> n parts. Cost: n * 2^(n-1) products.
    """
    places = range(len(before))
    found = []
    for place in places:
        others = [other for other in places if other != place]
        part = Fraction(0)
        for size in range(len(others) + 1):
            weight = Fraction(factorial(size) * factorial(len(others) - size), factorial(len(before)))
            for changed in combinations(others, size):
                rest = prod(
                    (after[other] if other in changed else before[other] for other in others), start=Fraction(1)
                )
                part += weight * rest
        found.append(part * (after[place] - before[place]))
    return tuple(found)


def in_cents(parts: Mapping[str, Fraction]) -> dict[str, int]:
    """Parts of a sum in whole cents that add up to the sum in cents: largest remainders first, ties by key.

    The sum itself has to be whole cents. Errors: ValueError otherwise.
    """
    total = sum(parts.values(), Fraction(0)) * 100
    if total.denominator != 1:
        raise ValueError(f"the parts sum to {total} cents, which is no whole number")
    exact = {key: part * 100 for key, part in parts.items()}
    found = {key: part.numerator // part.denominator for key, part in exact.items()}
    missing = total.numerator - sum(found.values())
    largest = sorted(parts, key=lambda key: (found[key] - exact[key], key))
    for key in largest[:missing]:
        found[key] += 1
    return found
