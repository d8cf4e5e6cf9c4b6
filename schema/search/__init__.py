"""Full-text search: the words of a text, and the indexes that find them."""
