"""A run's maps and tables, written in formats that other tools read."""

from quickgaze.exports.hdf5 import export_hdf5
from quickgaze.exports.maps import Exported, MapVariant, choose_variant
from quickgaze.exports.png import export_maps, file_names, stimulus_named
from quickgaze.exports.tables import TABLES, export_table

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
