"""The command that runs the background jobs."""
