"""Identity of records: ids, and the surviving record of a merge."""
