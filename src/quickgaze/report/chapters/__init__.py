"""The chapters of a report, one file each: what is said, from findings alone."""
