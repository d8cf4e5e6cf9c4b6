"""The outbox: what readers of changes follow."""
