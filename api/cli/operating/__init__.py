"""Commands of whoever operates a server: backups and restoring."""
