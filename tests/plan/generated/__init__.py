"""Generators of documents, of their arguments and of the rows that they read, derived from the schema."""
