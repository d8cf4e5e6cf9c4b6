"""The GraphQL edge: the contract, and the gateway that runs requests against it.

`derived/` makes GraphQL types from declarations; `reading/` turns a document into the planner's selection; `kpis/` and
`accord/` hold the root fields that are not plain records.
"""
