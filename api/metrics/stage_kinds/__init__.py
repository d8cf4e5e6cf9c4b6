"""What is counted of stages: entries, pairs of stages, stays, and what follows an entry."""
