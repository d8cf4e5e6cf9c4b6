"""`make bench-cost`: whether the stated cost of documents and the time that they take keep the same order."""
