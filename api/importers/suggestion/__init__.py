"""What the sample of a file proves about its columns, for a suggested preset.

- fields.py   whether a column's values fit a field, and the questions about it
- keys.py     which column can identify the rows
"""
