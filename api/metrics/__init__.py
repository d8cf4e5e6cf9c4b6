"""A question about KPIs to one SQL statement to an answer that says what it was computed from."""
