"""Who may see what: one predicate per table, which every statement of the planner takes along."""
