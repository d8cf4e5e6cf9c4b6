"""The sample company: Meridian, a made-up software vendor, and simulated histories of its prospects.

This package does not access the database. `generation.generated_batches` yields encoded rows, table by table, and
`api/workflows/make_sample.py` stores them. The same number, seed and date give the same rows, ids included.

    random_source.py   repeatable random numbers: one stream for each account and each person
    period.py          the 24 months of the sample, their seasons and working hours
    name_lists.py      made-up names, places and titles (reserved domains and telephone numbers)
    lead_origins.py    where people come from, and how likely they convert: why breakdowns by channel differ
    firm.py            Meridian: teams, members, products, pipelines
    campaigns.py       Meridian's campaigns and their cost by month
    currencies.py      the currencies of deals, and the exchange rates of the dollar
    binary_copy.py     the encoding of PostgreSQL's binary COPY
    row_buffers.py     encoded rows of declared tables; an unknown or missing column is an error
    people.py          prospective customers: companies and the people who work there
    person_history.py  the history of one person: touchpoints, changes, handoffs, in the order in which they happen
    journey.py         simulates one person: first touch, interest, sales, and possibly a second round
    sales_process.py   simulates the work of sales: handoff, decision, calls, qualification
    deals.py           simulates one deal from opening to close
    batches.py         generates all accounts, in batches of bounded size
    generation.py      runs the generator in a thread or in several processes
"""
