"""Background work: jobs that one process at a time repeats, each a thin call of a workflow."""
