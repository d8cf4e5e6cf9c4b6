"""The way of a database from one release to the next. What is here ships with the wheel; `api.revisions` runs it.

- versions/: one dated file a change: DDL written out, never an import of the declarations
- env.py: how Alembic connects and what it compares
- catalogue.py: what a database is made of, as values that can be compared
- draft.py, drafting.py, operations.py: `make migration`, and what Alembic's autogenerate misses
- stepwise.py: what would keep others waiting, drafted as a second migration
- statements.py, locks.py, plan.py: `accord migrate --plan`: the SQL of a migration, and the locks it takes
- lint.py: squawk in `make check`
"""
