"""KPIs answered from journeys: the rows that the evaluator derived once, with the values of all dimensions."""
