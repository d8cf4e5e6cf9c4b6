"""Types derived from declarations: of tables, dataclasses and Pydantic models."""
