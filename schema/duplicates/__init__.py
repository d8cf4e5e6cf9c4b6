"""Likely duplicates: what makes two records the same, and the columns that compare them."""
