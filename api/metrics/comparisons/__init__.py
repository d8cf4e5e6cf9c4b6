"""Comparing an answer: with an earlier period, another version of the accord, or the targets of the accord."""
