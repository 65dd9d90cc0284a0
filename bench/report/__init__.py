"""What comes out: medians, a table, verdicts, JSON, and pictures."""
