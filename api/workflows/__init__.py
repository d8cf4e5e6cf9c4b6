"""State changes: one verb a module, in the caller's unit of work."""
