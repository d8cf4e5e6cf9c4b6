"""The sample company: Meridian, a made-up software firm, told as the life stories of the people it addresses.

Nothing here knows a database: `telling.told` yields rows, table by table, as PostgreSQL's COPY takes them, and
`api/workflows/make_sample.py` stores them. The same number, seed and date give the same rows, ids included.

    dice.py      randomness that can be repeated: one stream for each company and each person
    span.py      the 24 months, their seasons and working hours
    words.py     names, places and titles (made up; reserved domains and telephone numbers)
    sources.py   where people come from, and how likely they go on: the story behind a breakdown by channel
    firm.py      Meridian itself: teams, members, products, pipelines
    marketing.py its campaigns, and what they cost by month
    money.py     what buyers pay in, and what a dollar was worth
    wire.py      PostgreSQL's binary COPY format
    rows.py      rows of declared tables: an unknown or missing column is an error
    people.py    a company that may buy, and who works there
    life.py      one person's life so far: touches, changes, handoffs, written as they happen
    journey.py   what happens in it: arrival, interest, what sales makes of it, and round again
    working.py   what sales makes of it: handoff, decision, calls, qualification
    selling.py   a deal from opening to close
    stream.py    the story as a whole, in stretches of bounded size
    telling.py   who tells them: a thread, or several processes
"""
