"""Workflows: changes of state. Each module is one verb, and runs in the caller's unit of work."""
