"""Readings of the history other than the one in force: evaluated when they are asked for, and kept for a while."""
