"""Foreign rows to records. What a file means is data: a preset, one TOML file in `presets/`.

- preset.py    what a preset may say, held against the tables' declarations
- mapping.py   what a row of a file means
- readings.py  how a preset says where a value comes from
- source.py    a file's encoding, delimiter, quoting and header: found out, never assumed
- lines.py     a file's lines in bounded memory; those of a broken row are read anew
- csv_rows.py  the rows of a CSV file
- cells.py     a cell's text to a value, or the reason why not
- meanings.py  what a reading makes of a cell: words, forms of dates, scale
- rows.py      rows to values, streamed
- plan.py      a preset bound to temporary tables, by binding.py, as shapes.py knows their columns
- rejects.py   the file of refused rows
- staging.py   values into temporary tables
- refusals.py  rows that point to nothing are taken out
- keys.py      our identities, and the source's keys for them
- telling.py   what the rows tell of each record, and what of it is new
- contradictions.py  records that cannot be as told; their rows are refused
- records.py   the difference written to the records
- timeline.py  the history that the rows themselves tell
- identities.py  fresh ids, by the thousand
- first.py     a large first import loads bare tables
- failures.py  what the database refuses, in words
- suggest.py   a starter preset from a file's header and values; date_forms.py, what dates prove; suggest_text.py
- run.py       one import: one transaction, ended by the evaluation
"""
