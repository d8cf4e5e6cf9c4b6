"""What an import reports and leaves about itself: rejected rows, reasons, counts, gaps, merges that were not read."""
