"""Database migrations: the dated files that change the tables, and the tools that draft, check and preview them.

The package ships in the wheel; `api.revisions` runs the migrations.

- versions/: one dated file per change, with its DDL written out; a migration never imports the declarations
- env.py: how Alembic connects and what it compares
- catalogue.py: reads every object of a database from PostgreSQL's catalogue, so that two databases can be compared
- draft.py: the command behind `make migration`
- autogenerate.py, operations.py: the differences that Alembic's autogenerate misses
- deferred.py: the steps that would block other sessions, drafted as a second migration
- statements.py, locks.py, plan.py: `accord migrate --plan`: the SQL of a migration and the locks it takes
- kinds.py: whether a migration expands or contracts, derived from its statements
- lint.py: runs squawk and compares the stated kinds in `make check`
"""
