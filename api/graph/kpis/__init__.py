"""The KPI root fields: their inputs, the requests read from them, and drilling down to the counted records."""
