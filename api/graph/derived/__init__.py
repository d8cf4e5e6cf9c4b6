"""GraphQL types derived from tables, dataclasses and Pydantic models. Nothing here reads a document."""
