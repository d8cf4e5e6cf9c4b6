"""Filters over dimensions: their values checked, and their conditions as SQL."""
