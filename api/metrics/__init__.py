"""A question about KPIs to one SQL statement to an answer that says what it was computed from.

    request -> settle (question.py) -> counted (counted.py) -> statement (statements.py) -> figures, groups -> answer

**A new kind gives its rows, and has the rest for nothing.** `counted(question)` returns a `Counted` (shape.py): a
select with one row for each counted record, before anything is added up, and conditions over these rows, called `c`:

- `rows`: the id of the subject's record (`contact_id`, `deal_id`: the table in `RECORD_OF` and `_id`), `at` (the
  counted instant, never null: the period, the bucket and the dimensions are judged at it), and whatever the rest
  reads. What may never count (deleted, merged, tests) is left out here.
- `measures`: aggregates over `c` by name (`n`, `numerator`, `implied`, `waiting`, `amount`, `left_out`, `told_at`),
  added up over keys and buckets by `figures.Cell`. What does not add up is `spread` (a number of each row, whose
  percentiles are told), or of `apart` kinds (amounts of several currencies).
- `part`: where a bucket is no part of the whole (who is over a policy in several, what stands at an instant), the rows
  say themselves which bucket they are of, null for the whole (`is_of_parts` in people.py).
- `is_base`: whether a row is one of `n`; `is_converted`: whether it is one of `numerator`, None where nothing is
  divided or where the numerator counts no records; `tie`: a text that tells apart rows of one record at one instant.

A kind whose buckets are no parts of the whole (a state, a person counted once in each) is told the boundaries, and says
by `part` which of them a row is of; without boundaries its rows are those of the whole.

From these alone come filters, one or two dimensions (`key_1`, `key_2`), buckets, and the records behind every figure:
`records(side: BASE)` lists the rows of `is_base`, so it has exactly `n` of them, `CONVERTED` those of `is_converted`,
exactly `numerator`. Of a bucket they are found by asking for its stretch of time alone (`frame.stretch`), which suits
what stands at an instant too. tests/metrics/test_records_behind.py holds every KPI of the catalogue to that, with no
line added. A new subject is one line in `RECORD_OF` and one in `AXES` (dimensions.py).
"""
