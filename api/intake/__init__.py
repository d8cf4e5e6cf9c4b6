"""Staged rows of any origin to tables."""
