"""Periods by name or by dates, their days and instants in a time zone, and the buckets of a series."""
