"""What the contract says of records, in plain Python over plain rows: no SQL, no planner."""
