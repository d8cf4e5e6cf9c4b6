"""Which moves within a tree of records close a circle, against a plain count over generated trees and moves."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from api.workflows.records.record_tree import in_circles
from tests.support.graphql import uid

RECORDS = [uid(number) for number in range(1, 8)]
PARENTS = st.dictionaries(st.sampled_from(RECORDS), st.none() | st.sampled_from(RECORDS), max_size=len(RECORDS))


def circled(tree: dict[UUID, UUID | None]) -> set[UUID]:
    """Return the records that are above themselves: who walks up long enough stands on a circle."""
    found = set()
    for record in tree:
        above = tree.get(record)
        for _ in RECORDS:
            if above == record:
                found.add(record)
            above = None if above is None else tree.get(above)
    return found


@given(PARENTS.filter(lambda tree: not circled(tree)), PARENTS)
def test_no_circle_is_left_and_no_move_is_refused_without_need(
    tree: dict[UUID, UUID | None], moved: dict[UUID, UUID | None]
) -> None:
    refused = in_circles(tree, moved)
    kept = {id_: parent for id_, parent in moved.items() if id_ not in refused}
    assert not circled({**tree, **kept})
    if not circled({**tree, **moved}):
        assert not refused
    assert refused >= circled({**tree, **moved}) & moved.keys()
