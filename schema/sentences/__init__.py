"""The accord in plain English: the sentences that both teams sign, derived from the clauses."""
