"""Identity of records: their ids, and the surviving record of a merge."""
