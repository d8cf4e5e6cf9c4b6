"""Records: creating, changing, deleting and restoring them, one row or many at a time."""
