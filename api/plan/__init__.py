"""The planner: compiles a selection of records into one SQL statement, whose result PostgreSQL writes as JSON.

    selection + list_arguments   the input: a frozen tree without SQL and without GraphQL
    statement                    the tree -> one `Sql`; list_rows, conditions, ordering, cursors, search, aggregation,
                                 grouping, … write its parts
    prepared_statements          the `Sql` -> a prepared statement -> one execution -> the bytes of a JSON object
    cost, explain_text           the cost limit of a selection; its stages as text

Every table is read through `api.access.scoped_tables`, which adds the scope of the principal.
"""
