"""Likely duplicates: pairs of records that share an address, a name or a number."""
