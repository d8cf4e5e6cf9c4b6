"""From a GraphQL document to the selection that the planner reads: parsing, limits, variables, arguments, fields."""
