"""The leaves of rules, each compiled to the intervals in which it holds."""
