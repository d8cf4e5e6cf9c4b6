"""Day sums: what a KPI counted in each day or month, stored by a job, so that a board reads no journey for it."""
