"""Mutations, run as a client runs them, against a real PostgreSQL."""
