"""The accord's versions: documents, validation, and which version is in force."""
