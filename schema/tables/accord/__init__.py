"""The versions of the accord, and what people add to them: signatures, comments and previews."""
