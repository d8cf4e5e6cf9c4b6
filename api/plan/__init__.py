"""The planner: a selection of records to one SQL statement whose result PostgreSQL itself writes as JSON."""
