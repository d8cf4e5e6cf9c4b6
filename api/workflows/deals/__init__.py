"""Deals: moving, closing and reopening them, and the roles of people in them."""
