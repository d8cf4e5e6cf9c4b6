"""The way of a database from one release to the next. What is here ships with the wheel; `api.revisions` runs it.

- versions/: one dated file a change: DDL written out, never an import of the declarations
- env.py: how Alembic connects and what it compares
- catalogue.py: what a database is made of, as values that can be compared
- drafting.py: what Alembic's autogenerate misses: CHECKs, primary keys, index predicates, functions, triggers
- draft.py: `make migration`
"""
