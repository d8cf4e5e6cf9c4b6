"""Readings of the history other than the one in force, in KPIs and the funnel."""
