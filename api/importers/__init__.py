"""Foreign rows to records. What a file means is data: a preset, one TOML file in `presets/`.

- preset.py    what a preset may say, held against the tables' declarations
- source.py    a file's encoding, delimiter, quoting and header: found out, never assumed
- lines.py     a file's lines in bounded memory; those of a broken row are read anew
- csv_rows.py  the rows of a CSV file
- cells.py     a cell's text to a value, or the reason why not
- rows.py      rows to values, streamed
- rejects.py   the file of refused rows
- staging.py   values into temporary tables; rows that contradict or point to nothing are taken out
- telling.py   what the rows tell of each record, and what of it is new
- records.py   the difference written to the records
- failures.py  what the database refuses, in words
- run.py       one import: one transaction, ended by the evaluation
"""
