"""What principals may read: rows, fields and tables."""
