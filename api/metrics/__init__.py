"""KPI and funnel requests: each is compiled to one SQL statement, and its rows become an answer with its provenance.

    KpiRequest -> resolve -> counted rows (a kind) -> compile -> figure table -> figures -> KpiAnswer

A kind of KPI provides its counted rows: one row per counted record, before anything is aggregated (`CountedRows` in
counted_rows.py). From these alone follow filters, up to 3 dimensions, buckets, and the records behind every figure:
`records(side: BASE)` lists the rows that n counts, `CONVERTED` those that the numerator counts. The records of a bucket
are found by a request for the bucket's time alone. tests/metrics/test_drill_down.py verifies that for every KPI of the
catalogue.

Kinds are filed by what they count: stage_kinds/, deal_kinds/, handoff_kinds/, touch_kinds/; kinds/ has what they share.
composites/ has the formulas, whose value is computed from several parts.
To add a kind: one measure class in schema/kpis/measures/, one module in such a folder, its case in kind_of.py. A new
subject is one line in `RECORD_OF` and its dimensions, both in dimensions.py.

Every statement reads within the principal's reach: rows of records out of reach are not counted, their values are
empty, and `MetricContext.reach` adds the conditions. For a principal that reaches everything they are none.
"""
