"""Writing a readout's card: what a reader of its file must know."""

from __future__ import annotations

from importlib.metadata import version

from quickgaze.backbones import Backbone
from quickgaze.cams import ReadoutCard
from quickgaze.options import FitOptions
from quickgaze.readouts._out_of_fold import Found
from quickgaze.readouts._reading import Reading
from quickgaze.readouts._targets import SHARE_OF_BLUR
from quickgaze.stimuli import Dataset
from quickgaze.study.readout_facts import SHUFFLED

_LIBRARIES = ("quickgaze", "torch", "timm", "numpy")


def make_card(
    dataset: Dataset,
    backbone: Backbone,
    levels: tuple[str, ...],
    given: FitOptions,
    reading: Reading,
    found: Found,
) -> ReadoutCard:
    """Say what was fitted, on what, how; its scores are not known yet."""
    return ReadoutCard(
        backbone=backbone.name,
        weights=backbone.weights,
        weights_hash=backbone.weights_hash,
        levels=levels,
        grid=given.grid,
        hidden=given.hidden,
        dataset=dataset.name,
        edition=dataset.edition,
        gaze=dataset.gaze + (SHUFFLED if given.shuffle else ""),
        licence=given.licence or "unknown",
        images=len(reading.stimuli),
        fingerprint=dataset.fingerprint(),
        seed=given.seed,
        folds=given.folds,
        scores={},
        chosen={
            "weight_decay": found.decay,
            "passes": float(found.passes),
            "target_sigma": SHARE_OF_BLUR * dataset.density_sigma,
        },
        versions={name: version(name) for name in _LIBRARIES},
        geometry=str(backbone.spec.geometry),
    )
