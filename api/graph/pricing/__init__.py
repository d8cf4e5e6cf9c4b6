"""What a request costs, before it runs."""
