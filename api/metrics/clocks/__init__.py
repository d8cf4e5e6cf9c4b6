"""Clocks: records that are dated ahead of an answer, and clocks that disagree."""
