"""Maps of any other model, computed elsewhere, that a study scores beside its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from quickgaze.cams import Cam
from quickgaze.errors import DatasetError, StimulusError
from quickgaze.places import readable
from quickgaze.stimuli.model_maps import ModelMaps, open_model_maps
from quickgaze.stimuli.types import DensitySource, Size
from quickgaze.study.plan import CamKey


@dataclass(frozen=True, eq=False)
class PrecomputedMaps:
    """Maps of one model for the stimuli of a study. Made by `open_precomputed`.

    Parameters
    ----------
    name : str
        What the model is called in the scores, in the column ``backbone``.
    source : ModelMaps
        Where they lie.
    maps : mapping of str to DensitySource
        By stimulus.
    """

    name: str
    source: ModelMaps
    maps: Mapping[str, DensitySource]

    @property
    def key(self) -> CamKey:
        """What identifies the maps within a run."""
        return CamKey(self.name, "precomputed", "own", 0)

    def cam(self, stimulus: str, size: Size) -> Cam:
        """Read the map of one stimulus.

        Parameters
        ----------
        stimulus : str
            Its id.
        size : (int, int)
            Height and width of its image, which the map must have.

        Returns
        -------
        Cam
            A batch of one, on a grid of a cell a pixel, without evidence.

        Raises
        ------
        StimulusError
            If there is none, or it cannot be used; names the file.
        """
        if stimulus not in self.maps:
            raise StimulusError(
                f"{self.name} has no map of {stimulus!r}; expected {self.source.wanted(stimulus)}"
            )
        values = torch.from_numpy(self.maps[stimulus].read(size))[None]
        return Cam(values, torch.full((1,), torch.nan), {}, 0)


def open_precomputed(places: Mapping[str, str], stimuli: Sequence[str]) -> list[PrecomputedMaps]:
    """Find the maps of several models for the stimuli of a study.

    Parameters
    ----------
    places : mapping of str to str
        Folder or HDF5 file of each model, by its name.
    stimuli : sequence of str
        All ids.

    Returns
    -------
    list of PrecomputedMaps
        In the order of `places`. Some of the stimuli may have no map.

    Raises
    ------
    DatasetError
        If there are no maps at a place, or none for any of the stimuli.
    """
    found = []
    for name, place in places.items():
        source = open_model_maps(place)
        maps = source.paired(stimuli)
        if not maps:
            raise DatasetError(
                f"{name}: none of the {len(source.maps):,} maps in {readable(place)} is called as "
                f"one of the {len(stimuli):,} stimuli; the first is {next(iter(source.maps))!r}, "
                f"but expected was {source.wanted(stimuli[0])}"
            )
        found.append(PrecomputedMaps(name, source, maps))
    return found
