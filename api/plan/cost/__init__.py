"""What a selection costs: how many records its response can hold, and how many rows PostgreSQL reads for it.

The first depends on the selection alone. The second is estimated from the planner's statistics.
"""
