"""Reading day sums in place of journeys, and the job that computes them."""
