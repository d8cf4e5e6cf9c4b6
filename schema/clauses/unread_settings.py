"""Settings of the accord that no answer reads yet, as their descriptions say."""

NOT_READ_YET = "Not read yet: it waits for"


def waits_for(reader: str) -> str:
    """The end of the description of a setting that no answer reads yet, with the reader that will."""
    return f" {NOT_READ_YET} {reader}."
