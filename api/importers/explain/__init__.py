"""What one row of a file became in an import, and why (`accord import … --explain-row`)."""
