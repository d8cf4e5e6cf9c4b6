"""The evaluator: a rule of the accord becomes SQL, and facts become stage entries."""
