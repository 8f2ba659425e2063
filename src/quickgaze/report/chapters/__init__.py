"""The chapters of a report, each written from findings alone."""
