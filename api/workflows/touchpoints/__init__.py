"""Touchpoints: logging and voiding them. They are facts: nothing edits them."""
