"""Reading the arguments `first` and `last`, the size of a page, and those that choose a reading of stage entries."""

from collections.abc import Mapping
from typing import Any

from api.access.evaluation import RequestedReading
from api.errors import AccordError, ErrorCode
from api.graph.derived.record_types import MAX_PAGE_SIZE, PAGE_SIZE
from schema.accord_vocab import Reading


def read_page_size(field_name: str, arguments: Mapping[str, Any]) -> int:
    """Return the maximum number of rows on the page. Errors: BAD_INPUT, TOO_LARGE."""
    argument = "first" if arguments.get("last") is None else "last"
    size = arguments.get(argument)
    if size is None:
        return PAGE_SIZE
    if argument == "last" and arguments.get("first") is not None:
        message = f"`{field_name}(first: {arguments['first']}, last: {size})` asks for both ends of a list."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Give `first` or `last`. For both ends, use two fields.")
    if size < 0:
        message = f"`{field_name}({argument}: {size})` asks for a negative number of rows."
        raise AccordError(ErrorCode.BAD_INPUT, message, f"Ask for 0 to {MAX_PAGE_SIZE}.")
    if size > MAX_PAGE_SIZE:
        message = f"`{field_name}({argument}: {size})` asks for more than a page holds, which is {MAX_PAGE_SIZE}."
        cursor = "endCursor" if argument == "first" else "startCursor"
        remedy = f"Ask for one page at a time. `pageInfo.{cursor}` is the cursor for the next one."
        raise AccordError(ErrorCode.TOO_LARGE, message, remedy)
    return int(size)


def read_reading(arguments: Mapping[str, Any]) -> RequestedReading:
    """Return the reading that the arguments of a list of stage entries name; other lists have no such arguments."""
    return RequestedReading(
        arguments.get("reading") or Reading.IN_FORCE, arguments.get("accordVersion"), arguments.get("knownAt")
    )
