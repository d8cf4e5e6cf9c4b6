"""Stage entries follow the changes of some contacts, in the transaction that makes the changes."""
