"""Full-text search: within one list, and over several tables with a ranking."""
