"""Images shown to observers and where they looked, from data sets on disk or generated."""

from quickgaze.stimuli.images import read_image, to_rgb
from quickgaze.stimuli.loading import DATASETS, DatasetEntry, list_datasets, load_dataset
from quickgaze.stimuli.types import Dataset, Fixations, Stimulus

__all__ = [
    "DATASETS",
    "Dataset",
    "DatasetEntry",
    "Fixations",
    "Stimulus",
    "list_datasets",
    "load_dataset",
    "read_image",
    "to_rgb",
]
