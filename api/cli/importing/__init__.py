"""`accord import`: the command, what it asks and notes, and its report."""
