"""Funnels: their computation and their answers."""
