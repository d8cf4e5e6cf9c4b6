"""The KPI root fields: their inputs, the requests read from them, and the records behind a result."""
