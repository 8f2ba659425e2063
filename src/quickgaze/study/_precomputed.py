"""Maps of any other model, computed elsewhere, that a study scores beside its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from quickgaze.cams import Cam
from quickgaze.errors import DatasetError, StimulusError
from quickgaze.places import readable
from quickgaze.stimuli.densities import ModelMaps, open_model_maps
from quickgaze.stimuli.types import DensityReader, Size
from quickgaze.study.stored import StoredMap
from quickgaze.study.variants import OWN_GRID, CamKey


@dataclass(frozen=True, eq=False)
class PrecomputedMaps:
    """Maps of one model for the stimuli of a study. Made by `open_precomputed`."""

    name: str
    source: ModelMaps
    maps: Mapping[str, DensityReader]

    def map_of(self, stimulus: str, size: Size) -> StoredMap:
        """Read the map of one stimulus: on a grid of a cell a pixel, without evidence."""
        if stimulus not in self.maps:
            raise StimulusError(
                f"{self.name} has no map of {stimulus!r}; expected {self.source.wanted(stimulus)}"
            )
        values = torch.from_numpy(self.maps[stimulus].read(size))[None]
        key = CamKey(self.name, "precomputed", OWN_GRID, 0)
        return StoredMap(stimulus, key, size, Cam.unsigned(values))


def open_precomputed(places: Mapping[str, str], stimuli: Sequence[str]) -> list[PrecomputedMaps]:
    """Find the maps of several models for the stimuli of a study."""
    found = []
    for name, place in places.items():
        source = open_model_maps(place)
        maps = source.paired(stimuli)
        if not maps:
            raise DatasetError(
                f"{name}: none of the {len(source.maps):,} maps in {readable(place)} is named like "
                f"one of the {len(stimuli):,} stimuli; the first is {next(iter(source.maps))!r}, "
                f"expected was {source.wanted(stimuli[0])}"
            )
        found.append(PrecomputedMaps(name, source, maps))
    return found
