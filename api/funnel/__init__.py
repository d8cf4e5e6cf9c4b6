"""The evaluator: compiles the rules of an accord to SQL, and derives stage entries from facts."""
