"""Imports: undoing them."""
