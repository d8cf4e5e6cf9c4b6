"""Writes: the vocabulary of mutations and of the events that they leave."""
