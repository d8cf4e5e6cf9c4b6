"""What operates a server: backups, restoring, and several processes of one server."""
