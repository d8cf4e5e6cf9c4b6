"""What is counted of touches: how often people are touched."""
