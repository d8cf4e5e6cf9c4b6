"""Breakdowns: how many groups they may have, and what to know about their dimensions."""
