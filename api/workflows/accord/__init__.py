"""The life of a version of the accord: proposed, edited, submitted, signed by both teams, and activated."""
