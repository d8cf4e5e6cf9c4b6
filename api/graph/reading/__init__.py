"""From a document to the planner's selection: parsing, validation, limits, variables, arguments and fields."""
