"""Filters over dimensions and records: their values checked, and their conditions as SQL."""
