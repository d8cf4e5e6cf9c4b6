"""The accord's versions: loading documents, validating them, and finding the versions in force."""
