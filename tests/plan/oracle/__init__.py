"""The oracle: a naive Python implementation of what the contract says about reads, without SQL and without the planner.

It holds all rows in memory, and graphql-core executes the documents.
"""
