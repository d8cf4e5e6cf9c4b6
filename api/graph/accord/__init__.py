"""The root fields that show the accord in force."""
