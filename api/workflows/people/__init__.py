"""People and their companies as one record each: merging, unmerging, erasing, and what is held on a person."""
