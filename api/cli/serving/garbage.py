"""What the garbage collector looks through while the process serves."""

import gc


def exempt_existing_objects() -> None:
    """Let the garbage collector never look again at what exists now: modules, declarations and the schema.

    A full collection looks at every object, and nothing is served meanwhile: 190 ms with 325,000 objects of the start,
    which are never garbage.
    """
    gc.collect()
    gc.freeze()
