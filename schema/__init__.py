"""What is true: tables, the accord, the KPI catalogue. Pure declarations; imports nothing of `api`."""
