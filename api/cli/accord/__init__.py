"""The commands of the accord: its versions, their documents, and the entries that follow from them. None signs."""
