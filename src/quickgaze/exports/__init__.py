"""A run's maps and tables, written in formats that other tools read."""

from quickgaze.exports._hdf5 import export_hdf5
from quickgaze.exports._maps import Exported, choose_variant
from quickgaze.exports._png import export_maps, file_names, stimulus_named
from quickgaze.exports._tables import TABLES, export_table
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
