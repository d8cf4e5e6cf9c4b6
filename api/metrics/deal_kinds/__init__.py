"""What is counted of deals: openings, closings, amounts, and what was open at an instant."""
