"""Checks of the values that filters name: those of closed sets have to be known."""
