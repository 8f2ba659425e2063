"""From signed CAMs to saliency maps, and `SaliencyModel`, which goes the whole way in one call."""

from quickgaze.saliency._inputs import ImageLike, as_batch
from quickgaze.saliency._maps import FloatMap, colour, overlay, saliency_maps
from quickgaze.saliency._model import SaliencyModel, SaliencyResult
from quickgaze.saliency._presets import PRESETS, Preset

__all__ = [
    "PRESETS",
    "FloatMap",
    "ImageLike",
    "Preset",
    "SaliencyModel",
    "SaliencyResult",
    "as_batch",
    "colour",
    "overlay",
    "saliency_maps",
]
