"""What a study computes unless told otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from quickgaze.bounds import BOUNDS
from quickgaze.metrics import DEFAULT_METRICS
from quickgaze.stimuli import Dataset

METRICS_OF: Mapping[str, tuple[str, ...]] = {
    "tuebingen": DEFAULT_METRICS,
    "mit": ("cc", "sim", "kld", "nss", "auc_judd", "auc_borji"),
    "salicon": ("cc", "nss", "auc"),
    "cap6415": ("cc", "cc_union", "kld", "mae", "mse", "nss", "auc"),
}
"""The metrics that are computed in each convention unless told otherwise."""


def default_metrics(convention: str) -> tuple[str, ...]:
    """Metrics that a study computes unless told otherwise.

    Parameters
    ----------
    convention : str

    Returns
    -------
    tuple of str
        Those that its authors report and that need nothing but the stimulus's own gaze.

    Examples
    --------
    >>> default_metrics("salicon")
    ('cc', 'nss', 'auc')
    """
    return METRICS_OF.get(convention, DEFAULT_METRICS)


def default_bounds(dataset: Dataset) -> tuple[str, ...]:
    """Bounds that a study computes unless told otherwise.

    Parameters
    ----------
    dataset : Dataset

    Returns
    -------
    tuple of str
        All baselines, and the ceilings where the first stimulus with readable gaze has fixations
        of several observers. None for a single stimulus, or without gaze.

    Examples
    --------
    >>> from quickgaze import load_dataset
    >>> default_bounds(load_dataset("popout", n=2))
    ('uniform', 'center', 'center_bias', 'shuffled')
    """
    if len(dataset) < 2:
        return ()
    kinds = _kinds(dataset)
    return tuple(name for name, bound in BOUNDS.entries().items() if bound.kind in kinds)


def _kinds(dataset: Dataset) -> tuple[str, ...]:
    """Kinds of bounds that the first stimulus with readable gaze promises."""
    for stimulus in dataset:
        try:
            fixations = stimulus.fixations
        except Exception:  # noqa: BLE001, S112 - reported where the stimulus is scored
            continue
        if fixations is not None and len(set(fixations.observer)) > 1:
            return "baseline", "ceiling"
        if fixations is not None or stimulus.map is not None:
            return ("baseline",)
    return ()
