"""Exports that a person downloads by hand: files are recognised by their headers, because their names say little."""
