"""The clauses of an accord document: models of its sections, the rules, and the sentences that both teams sign."""
