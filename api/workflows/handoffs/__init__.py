"""Handoffs: marketing hands a person to sales, and sales accepts, rejects or returns.

A handoff is a fact with one decision, which nothing changes later. A person has one undecided handoff at most. What
sales returned for data is handed over again as a handoff of its own: the returned one stays as it was, so that reads as
of any instant are right, and KPIs of decisions count the person once, when sales decides.

Who decides: the assigned member, or somebody of that member's team; of an unassigned handoff, anybody in a sales team.
Whoever may decide any handoff (OPERATOR and above) decides the others. A member who decides is the assigned one from
then on, for KPIs by responder. `responsibility` says who owns the person meanwhile.
"""
