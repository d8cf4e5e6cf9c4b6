"""Access: the levels, reaches and rights of principals, and what each of them may do."""
