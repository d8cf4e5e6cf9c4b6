"""Lists of the records that a figure counts: their order, and their pages."""
