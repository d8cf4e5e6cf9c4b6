"""Documents made up from the schema, and the rows that they are asked of."""
