"""Previews: what a version of the accord would change over a past period, before anybody signs it.

    two versions -> moments of both sides (sides.py) -> entries of both -> people, KPIs, load, coverage -> Preview

Both versions judge the whole history, and what they do in the period is compared. A person counts for a stage at the
first moment at which the stage's own rule is met, judged by the values of that time: what people look like today plays
no part. Only the stages that the change touches are evaluated; the moments of the others are read from the stored
entries. All of it happens in temporary tables. The result is stored, and a signature names it.
"""
