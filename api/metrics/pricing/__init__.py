"""What KPI requests cost, before they run: the tables that their statements read, and how many rows of them."""
