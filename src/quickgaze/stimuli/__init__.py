"""Images shown to observers and where they looked, from data sets on disk or generated."""

from quickgaze.stimuli._inspection import Check, Inspection, inspect
from quickgaze.stimuli._pysaliency_data import from_pysaliency
from quickgaze.stimuli._pysaliency_writing import to_pysaliency, write_pysaliency_hdf5
from quickgaze.stimuli.catalogue import (
    DATASETS,
    check_dataset,
    fetch_dataset,
    list_datasets,
    load_dataset,
    plan_fetch,
)
from quickgaze.stimuli.dataset import Dataset, DatasetEntry
from quickgaze.stimuli.images import ImageFile, read_image, to_rgb
from quickgaze.stimuli.sources import PlannedFile, RemoteFile, Source
from quickgaze.stimuli.types import Fixations, Stimulus

__all__ = [
    "DATASETS",
    "Check",
    "Dataset",
    "DatasetEntry",
    "Fixations",
    "ImageFile",
    "Inspection",
    "PlannedFile",
    "RemoteFile",
    "Source",
    "Stimulus",
    "check_dataset",
    "fetch_dataset",
    "from_pysaliency",
    "inspect",
    "list_datasets",
    "load_dataset",
    "plan_fetch",
    "read_image",
    "to_pysaliency",
    "to_rgb",
    "write_pysaliency_hdf5",
]
