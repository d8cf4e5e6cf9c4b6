"""The GraphQL edge: types derived from the tables and the answers, root fields, the SDL."""
