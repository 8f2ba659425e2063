"""A run's maps and tables, written in formats that other tools read."""

from quickgaze.exports.hdf5 import export_hdf5
from quickgaze.exports.maps import Exported, choose_variant
from quickgaze.exports.png import export_maps, file_names, stimulus_named
from quickgaze.exports.tables import TABLES, export_table
from quickgaze.study import MapVariant

__all__ = [
    "TABLES",
    "Exported",
    "MapVariant",
    "choose_variant",
    "export_hdf5",
    "export_maps",
    "export_table",
    "file_names",
    "stimulus_named",
]
