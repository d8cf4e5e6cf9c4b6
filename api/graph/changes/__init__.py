"""The root field `changes`: what whoever keeps a copy of the records follows."""
