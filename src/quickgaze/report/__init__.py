"""Findings to look at: reports, panels, pages and tables."""

from quickgaze.report._overview import (
    Card,
    Mapped,
    Panel,
    Pictures,
    Section,
    file_stems,
    map_files,
    write_maps,
    write_overview,
)
from quickgaze.report._panels import Panels, panels
from quickgaze.report._tables import (
    bounds_data,
    comparison_table,
    differing_table,
    metrics_table,
    plain_table,
    shares_table,
    summary_data,
    summary_table,
)
from quickgaze.report._words import arrow
from quickgaze.report._writing import Report, write_report

__all__ = [
    "Card",
    "Mapped",
    "Panel",
    "Panels",
    "Pictures",
    "Report",
    "Section",
    "arrow",
    "bounds_data",
    "comparison_table",
    "differing_table",
    "file_stems",
    "map_files",
    "metrics_table",
    "panels",
    "plain_table",
    "shares_table",
    "summary_data",
    "summary_table",
    "write_maps",
    "write_overview",
    "write_report",
]
