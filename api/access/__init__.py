"""Access: the rows that a principal reaches, as one predicate per table in every statement of the planner."""
