"""Imports: foreign files to staged rows, which `api.intake` writes to the tables.

What a file means is data: a preset, one TOML document. `presets/README.md` is the reference of its keys.

The preset
- preset.py           the document; mapping.py, its files and records; value_reading.py, where a value comes from
- preset_reference.py writes the reference page from these models

The file
- source_file.py      detects encoding, delimiter, quoting and header
- text_lines.py       its lines, in bounded memory; csv_rows.py, its rows
- cell_values.py      parses a cell by its column; cell_parsers.py, also by the preset's words, formats and scale

The import
- run_import.py       all steps, in one transaction
- plan.py             binds the preset to temporary tables; binding.py, one record; file_binding.py, a table's columns
- row_values.py       rows as values; staging.py loads them into the temporary tables
- reporting/          rejected rows, the report, what an import leaves about itself, merges that were not read
- database_failures.py  errors of the database, with their remedy

A preset for a new file
- suggestion/         suggests one from header and values (synonyms.toml), with questions for what they do not decide
- date_formats.py     detects the format of dates
"""
