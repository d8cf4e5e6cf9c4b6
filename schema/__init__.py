"""Declarations: the tables, the accord document and the KPI catalogue. Nothing here imports `api`."""
