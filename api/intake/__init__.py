"""Set-based writing of staged rows: what an import and a bulk mutation have in common.

The caller loads its input rows into temporary tables and describes with `StagedRows` which records the rows mean. The
intake merges them with the database and writes the difference, one statement per table and step, however many rows
there are. It knows nothing of files or presets.

- staged.py                 the input: staged rows, the records they describe, rejected rows
- apply.py                  all steps in order; the way in
- dangling_keys.py          rejects rows that refer to records which do not exist
- staged_merges.py         who is one person after all merges, of the rows and of the database
- agreement.py             columns that rows of one record may contradict each other in, such as links
- external_keys.py          ids of new records, and the keys by which their source knows them
- likely_same.py            new keys of records that another source seems to know; links them on request
- merge.py                  one row per record: its merged values next to those in the database
- identity_changes.py       finds records of which name and address would change at once
- constraint_violations.py  rejects rows whose record would violate a constraint
- upsert.py                 inserts new records and updates changed ones
- filled_values.py          versions of values that were empty before
- dated_history.py          versions of values that come with a date
- column_sql.py             SQL types and defaults of columns
- bulk_load.py              loading without indexes and constraints, and when an import does so
"""
