"""The audit and the outbox: what every change of a record leaves in the transaction that makes it."""
