"""Planning: what a revenue target asks of every stage, and why the revenue of a past period was not another one.

    target -> won deals -> opened deals -> people of each stage, by the rates that the KPIs of the catalogue measure
    two periods -> their drivers -> the change of revenue, split exactly (revenue_variance.py)

A plan counts back from the wins. Who enters a stage on a day wins on a later one: the measured lags of the steps, added
up, say with which chance on which (landing.py). Of the entries of a day, the plan needs those whose wins fall in its
period; the others belong to the periods before and after, so plans of consecutive periods add up.
"""
