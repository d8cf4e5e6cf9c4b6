"""What is counted of handoffs and what they owe."""
