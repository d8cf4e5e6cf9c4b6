"""Identity of records: their ids, the sources of their external keys, and the surviving record of a merge."""
