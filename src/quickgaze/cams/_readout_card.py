"""What a reader of a readout must know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ReadoutCard:
    """What a readout belongs to, and what it was fitted on.

    Parameters
    ----------
    backbone, weights : str
        Name of the network and of its weights.
    weights_hash : str
        SHA-256 of these weights; a readout of one network says nothing of another.
    levels : tuple of str
        Names of the levels whose channels it weighs.
    grid : str
        Where they are brought together, as for `Pyramid.grid_size`.
    hidden : int
        Number of hidden units; 0 for a linear readout.
    dataset, edition, gaze : str
        The data set that it was fitted on, and what kind of gaze that has.
    licence : str
        Licence of these data.
    images : int
        How many images it was fitted on.
    fingerprint : str
        Of the data set, images and gaze.
    seed, folds : int
        Of the fit; its scores are means over images that it was not fitted on, fold by fold.
    scores : mapping of str to float
        By metric, out of fold; NaN where undefined.
    chosen : mapping of str to float
        What the fit chose itself, such as the weight decay.
    versions : mapping of str to str
        Of quickgaze and of the packages that it was fitted with.
    geometry : str
        How the backbone resized images, as its specification says; empty where it is not known.
    changed : tuple of str
        What was put in the place of what had been fitted, as by `Readout.adapted`.

    Examples
    --------
    >>> card = ReadoutCard(
    ...     backbone="efficientnet_lite0", weights="in1k", weights_hash="0f" * 32,
    ...     levels=("s16", "s32"), grid="s16", hidden=16,
    ...     dataset="osie", edition="sample", gaze="eye tracking", licence="MIT", images=40,
    ...     fingerprint="a0", seed=0, folds=10, scores={"cc": 0.8}, chosen={}, versions={},
    ... )
    >>> card.title
    'efficientnet_lite0 on osie (sample), 40 images'
    """

    backbone: str
    weights: str
    weights_hash: str
    levels: tuple[str, ...]
    grid: str
    hidden: int
    dataset: str
    edition: str
    gaze: str
    licence: str
    images: int
    fingerprint: str
    seed: int
    folds: int
    scores: Mapping[str, float]
    chosen: Mapping[str, float]
    versions: Mapping[str, str]
    geometry: str = ""
    changed: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Which network, fitted on what, for people."""
        return f"{self.backbone} on {self.dataset} ({self.edition}), {self.images} images"
