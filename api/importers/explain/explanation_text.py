"""Writes an explanation as text."""

from collections.abc import Iterator

from api.importers.explain.explanation import CellExplanation, RecordExplanation, RowExplanation, quoted, shown


def explanation_text(explained: RowExplanation) -> str:
    """Return an explanation: the cells, then the records or the reasons for which there are none."""
    return "\n".join(_lines(explained)) + "\n"


def _lines(explained: RowExplanation) -> Iterator[str]:
    yield f"{explained.file}, line {explained.line}"
    if not explained.cells:
        yield f"  {quoted(explained.text.rstrip())}"
    width = max((len(cell.column) for cell in explained.cells), default=0)
    for cell in explained.cells:
        yield from _cell(cell, width)
    if explained.rejected:
        yield "The row is kept, but not all of it is written:" if explained.is_kept else "The row is rejected:"
        for row in explained.rejected:
            where = f"{row.column} {quoted(row.value)}: " if row.column else ""
            yield f"  {where}{row.reason}"
    for record in explained.records:
        yield from _record(record)
    if not explained.records and not explained.rejected:
        yield "The row means no record."
    yield "Nothing was written."


def _cell(cell: CellExplanation, width: int) -> Iterator[str]:
    head = f"  {cell.column:<{width}}  {quoted(cell.text)}"
    if not cell.uses:
        yield f"{head}  not read: the preset does not name the column"
        return
    if not cell.text.strip():
        problems = [use.problem for use in cell.uses if use.problem]
        yield f"{head}  {problems[0] if problems else 'no value'}"
        return
    for use in cell.uses:
        yield f"{head}  {use.how}: {use.problem or shown(use.value)}"
        head = " " * len(head)


def _record(record: RecordExplanation) -> Iterator[str]:
    keys = f" {', '.join(map(quoted, record.keys))}" if record.keys else ""
    yield f"{record.table.replace('_', ' ')}{keys}: {record.outcome}"
    width = max((len(field.name) for field in record.fields), default=0)
    for field in record.fields:
        source = f" (from {field.columns})" if field.columns else " (constant)"
        remark = f": {field.remark}" if field.remark else ""
        yield f"  {field.name:<{width}}  {shown(field.value)}{source if field.value is not None else ''}{remark}"
