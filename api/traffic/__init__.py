"""What keeps requests from holding each other up: a deadline, lanes, and a rate limit.

    deadline.py    one deadline for a whole request; a client that leaves interrupts its request, too
    lanes.py       light, medium and heavy requests and mutations: so many at once, so many in a queue
    rate_limit.py  the cost that a principal may spend in a minute
    traffic.py     all of these with the settings of a server

They know neither HTTP nor GraphQL nor PostgreSQL. `api/web/endpoint.py` calls them, `api/graph/mutations/` limits the
time of each mutation, and `api/db/` says when a commit must not be interrupted.
"""
