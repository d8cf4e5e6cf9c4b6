"""The difference of two documents of the accord: in sentences, and marked by what it does. Pure functions."""
