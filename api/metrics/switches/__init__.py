"""Switches of KPIs: which a request chooses, and what they change in the counted rows."""
